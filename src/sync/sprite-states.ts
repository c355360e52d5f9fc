/** Which files of a sprite are still what they were, and the content of the others as far as it is needed. */
import type { BytePath } from './byte-path.ts';
import type { EntryState } from './entry-state.ts';
import type { SpritePort } from './sprite-port.ts';
import type { SpriteRecord } from './sprite-record.ts';
import { hashInSprite, isBefore, type SpriteScan } from './sprite-scan.ts';

/** A file whose content is not known, only that it is none of the contents it was compared with. */
export interface ChangedFile {
  readonly kind: 'changed';
  readonly isExecutable: boolean;
  readonly sizeBytes: number;
}

/** Null: not there. `special`: a device, FIFO or socket. */
export type SpriteState = EntryState | ChangedFile | { readonly kind: 'special' } | null;

export interface StateQuestion {
  readonly scan: SpriteScan;
  readonly record: SpriteRecord | null;
  readonly paths: Iterable<BytePath>;
  /** What else the file may be equal to, besides what the record says. */
  readonly other?: ((path: BytePath) => EntryState | null | undefined) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * A file is taken for unchanged without reading it where its ctime is older than the mark that the push left
 * last: whatever wrote to it, or set its times, has set its ctime to the sprite's clock.
 */
export async function spriteStates(
  port: SpritePort,
  { scan, record, paths, other, signal }: StateQuestion,
): Promise<Map<BytePath, SpriteState>> {
  const states = new Map<BytePath, SpriteState>();
  const toHash: BytePath[] = [];
  const quietBefore = record !== null && scan.token === record.token ? record.tokenCtime : null;
  for (const path of paths) {
    const found = scan.entries.get(path);
    if (found === undefined) states.set(path, null);
    else if (found.kind !== 'file') states.set(path, found);
    else {
      const { mode, sizeBytes, ctimeNs } = found;
      const isExecutable = (mode & 0o100) !== 0;
      const base = record?.entries.get(path);
      const isQuiet = quietBefore !== null && isBefore(ctimeNs, quietBefore);
      if (base?.kind === 'file' && isQuiet && base.sizeBytes === sizeBytes) {
        states.set(path, { kind: 'file', isExecutable, sizeBytes, sha256: base.sha256 });
        continue;
      }
      states.set(path, { kind: 'changed', isExecutable, sizeBytes });
      const candidates = [base, other?.(path)];
      if (candidates.some((state) => state?.kind === 'file' && state.sizeBytes === sizeBytes))
        toHash.push(path);
    }
  }
  for (const [path, sha256] of await hashInSprite(port, toHash, signal)) {
    const state = states.get(path);
    if (state?.kind === 'changed') states.set(path, { ...state, kind: 'file', sha256 });
  }
  return states;
}
