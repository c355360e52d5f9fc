const HOME = '/home/sprite';

/** Text only: `..` and links mean what they mean inside the sprite. */
export function resolveIn(workingDir: string | null | undefined, path: string): string {
  if (path.startsWith('/')) return path;
  const base = workingDir ? workingDir : HOME;
  const from = base.startsWith('/') ? base : `${HOME}/${base}`;
  return `${from.replace(/\/+$/, '')}/${path}`;
}
