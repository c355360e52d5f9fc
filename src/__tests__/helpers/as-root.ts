/**
 * Tests of what only root can set up or only root gets (planted secrets, control groups). Run by an ordinary
 * user they do not exist: a test that is skipped counts as one that failed.
 */
import { describe, test } from 'bun:test';

const isRoot = process.getuid?.() === 0;

export function testAsRoot(title: string, run: () => Promise<void>, timeoutMs?: number): void {
  if (isRoot) test(title, run, timeoutMs);
}

export function describeAsRoot(title: string, define: () => void): void {
  if (isRoot) describe(title, define);
}
