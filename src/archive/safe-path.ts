/** Which member names and link targets stay inside the directory an archive is unpacked into. */
import { printableName } from './tar-member.ts';

const MAX_PATH_BYTES = 4096;
const MAX_COMPONENT_BYTES = 255;
const SLASH = 0x2f;

/** The components of a name, `.` and empty ones dropped; the archive's own root has none. */
export type PathComponents = readonly Buffer[];

/** The reason why a name is refused, or its components. */
export function safeComponents(name: Buffer): PathComponents | string {
  if (name.length === 0) return 'has no name';
  if (name.length > MAX_PATH_BYTES) return `has a name of ${name.length} bytes`;
  if (name.includes(0)) return 'has a NUL in its name';
  if (name[0] === SLASH) return 'has an absolute name';
  const components = splitPath(name);
  if (components.some(isDotDot)) return 'has ".." in its name';
  const tooLong = components.find((component) => component.length > MAX_COMPONENT_BYTES);
  if (tooLong !== undefined) return `has a name part of ${tooLong.length} bytes`;
  return components;
}

/**
 * The reason why a symlink is refused, or null. `depth` is the number of directories above the link. Going
 * up is accepted at the front of a target only and at most to the root: after a name, `..` would leave
 * whatever that name is a link to.
 */
export function symlinkFault(target: Buffer, depth: number): string | null {
  const shown = printableName(target);
  if (target.length === 0) return 'is a symbolic link without a target';
  if (target.length > MAX_PATH_BYTES) return `is a symbolic link to a path of ${target.length} bytes`;
  if (target.includes(0)) return 'is a symbolic link with a NUL in its target';
  if (target[0] === SLASH) return `is a symbolic link to the absolute path ${shown}`;
  const components = splitPath(target);
  const ups = components.findIndex((component) => !isDotDot(component));
  const upCount = ups === -1 ? components.length : ups;
  if (upCount > depth) return `is a symbolic link that leaves the directory: ${shown}`;
  if (components.slice(upCount).some(isDotDot)) return `is a symbolic link with ".." after a name: ${shown}`;
  return null;
}

export function joinComponents(components: PathComponents): Buffer {
  const parts: Buffer[] = [];
  for (const component of components) {
    if (parts.length > 0) parts.push(Buffer.from('/'));
    parts.push(component);
  }
  return Buffer.concat(parts);
}

function splitPath(path: Buffer): Buffer[] {
  const components: Buffer[] = [];
  let start = 0;
  while (start <= path.length) {
    const slash = path.indexOf(SLASH, start);
    const end = slash === -1 ? path.length : slash;
    const component = path.subarray(start, end);
    const isDot = component.length === 1 && component[0] === 0x2e;
    if (component.length > 0 && !isDot) components.push(component);
    start = end + 1;
  }
  return components;
}

function isDotDot(component: Buffer): boolean {
  return component.length === 2 && component[0] === 0x2e && component[1] === 0x2e;
}
