import { eventually } from '../helpers/eventually.ts';

/** The value of `probe` once it has been the same for many looks. */
export async function settled(probe: () => number): Promise<number> {
  let last = Number.NaN;
  let same = 0;
  await eventually(
    () => {
      const now = probe();
      same = now === last ? same + 1 : 0;
      last = now;
      return same >= 20;
    },
    { what: 'a value that stays', timeoutMs: 20_000 },
  );
  return last;
}
