/** Runs a program from its sources on Node: what the launchers do in a checkout without `dist/` and without Bun. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { requireNode } from './lib/require-node.mjs';

const [name, ...args] = process.argv.slice(2);
const { engines } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
requireNode(name, engines.node.replace('>=', ''));

const entry = new URL(name === 'wisp' ? '../src/wisp/index.ts' : '../src/index.ts', import.meta.url);
process.argv.splice(1, process.argv.length, fileURLToPath(entry), ...args);
const tsx = await import('tsx/esm/api').catch(() => null);
if (tsx) {
  tsx.register();
  await import(entry.href);
} else {
  process.stderr.write(
    `${name}: start: the packages this checkout needs are not installed\nhint: run npm ci\n`,
  );
  process.exitCode = 6;
}
