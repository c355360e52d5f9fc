import { fileURLToPath } from 'node:url';

/** Path of something in fixtures. */
export function fixturePath(name: string): string {
  return fileURLToPath(new URL(`../../../fixtures/${name}`, import.meta.url));
}

/** Path of a program in fixtures/bin. */
export function fixtureBin(name: string): string {
  return fileURLToPath(new URL(`../../../fixtures/bin/${name}`, import.meta.url));
}
