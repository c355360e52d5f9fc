/** Tries to get out of a sprite, and tells how each attempt ended. */
import type { Attempt } from '../contract/schemas.ts';
import type { Waiting } from './waiting.ts';

export interface SelftestReport {
  /** What the sprite's record says it got. */
  readonly isolation: string | null;
  readonly attempts: readonly Attempt[];
}

export interface SelftestOptions extends Waiting {
  /** As each ends; `total` attempts are made. */
  readonly onAttempt?: ((attempt: Attempt, total: number) => void) | undefined;
}

/** In a sprite of its own, which is gone afterwards, whatever happens. */
export type Selftest = (options?: SelftestOptions) => Promise<SelftestReport>;
