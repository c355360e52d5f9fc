/** What the programs run on. The launchers choose Bun where it is there, else Node. */
import type { AnyContext } from '../context.ts';
import { fail, type Outcome, ok } from './check.ts';
import { askVersion } from './tool-version.ts';

const OLDEST_NODE: readonly [major: number, minor: number] = [20, 18];

export async function checkRuntime({ io, cwd, signal }: AnyContext): Promise<Outcome> {
  const { bun, node } = process.versions;
  const machine = `${process.platform} ${process.arch}`;
  if (bun === undefined) return checkNode(node, machine);
  const answer = await askVersion('node', { env: io.env, cwd, signal });
  const besides = answer.state === 'works' ? `, Node ${answer.version.replace(/^v/, '')} besides` : '';
  return ok(`Bun ${bun} on ${machine}${besides}`);
}

export function checkNode(version: string, machine: string): Outcome {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [oldestMajor, oldestMinor] = OLDEST_NODE;
  const isNewEnough = major > oldestMajor || (major === oldestMajor && minor >= oldestMinor);
  if (isNewEnough) return ok(`Node ${version} on ${machine}; with Bun commands would start faster`);
  const oldest = OLDEST_NODE.join('.');
  return fail(
    `Node ${version} on ${machine} is older than ${oldest}`,
    `install Node ${oldest} or newer, then: npm install -g wreckit`,
  );
}
