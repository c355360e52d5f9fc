/** The wisp contract (docs/wisp-contract.md) for other programs: `import { SpriteSchema } from 'wreckit/contract'`. */
export type { ErrorBody, FailureDocument, SuccessDocument } from './envelope.ts';
export { ERROR_CODES, type ErrorCode, EXIT, exitCodeOf, isErrorCode, SIGNAL_EXIT } from './error-codes.ts';
export { assertSpriteName, isSpriteName } from './names.ts';
export * from './schemas.ts';
