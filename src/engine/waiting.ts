/** What everything that waits takes. */
export interface Waiting {
  readonly signal?: AbortSignal | undefined;
}
