/** Adding fields or verbs keeps the number; changing a meaning raises it. */
export const PROTOCOL_VERSION = 1;
