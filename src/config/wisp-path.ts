import { dirname, isAbsolute, relative, resolve } from 'node:path';
import type { Origin } from './layer.ts';

export interface PathBase {
  readonly cwd: string;
  readonly projectRoot: string;
}

/**
 * A relative path is meant from where it was written: in a file of the project from the project's root, in
 * another file from its directory, in a variable or flag from the working directory. A bare name is looked up
 * on PATH and stays as it is.
 */
export function absoluteWispPath(wispPath: string, origin: Origin, { cwd, projectRoot }: PathBase): string {
  const isName = !wispPath.includes('/') && !(process.platform === 'win32' && wispPath.includes('\\'));
  if (isName || isAbsolute(wispPath) || wispPath.startsWith('~/')) return wispPath;
  if (origin.kind !== 'file' || origin.source === null) return resolve(cwd, wispPath);
  const isOfProject = !relative(projectRoot, origin.source).startsWith('..');
  return resolve(isOfProject ? projectRoot : dirname(origin.source), wispPath);
}
