/** bun disk-full-driver.ts MOUNT SPRITE_DIR: see disk-full.test.ts. Prints what happened as JSON. */
import fs from 'node:fs';
import path from 'node:path';
import { WreckitError } from '../../errors.ts';
import { landChanges } from '../../sync/land.ts';
import { pullChanges } from '../../sync/pull.ts';
import { pushProject } from '../../sync/push.ts';
import { localDirPort } from './local-dir-port.ts';
import { treeOf, write } from './project.ts';

const [mount = '', inside = ''] = process.argv.slice(2);
const root = path.join(mount, 'project');
const ballast = path.join(mount, 'ballast');
const port = localDirPort(inside);
const names = (): string[] => [...treeOf(root).keys()];

async function failureOf(action: () => Promise<unknown>): Promise<string> {
  try {
    await action();
    return 'no failure';
  } catch (thrown) {
    return thrown instanceof WreckitError ? `${thrown.code}: ${thrown.message}` : String(thrown);
  }
}

fs.mkdirSync(root);
write(root, { a: '1', b: '2' });
await pushProject({ root, port });
write(inside, { a: '11', big: 'x'.repeat(1_200_000) });

// No room for what is fetched.
fs.writeFileSync(ballast, 'x'.repeat(3_000_000));
const pull = await failureOf(() => pullChanges({ root, port }));
const [afterPull, leftOfPull] = [names(), fs.readdirSync(path.join(root, '.wreckit/sync/pulls'))];

// Room for that, but not for staging it.
fs.truncateSync(ballast, 2_000_000);
const changeSet = await pullChanges({ root, port });
const before = treeOf(root);
const apply = await failureOf(() => landChanges({ changeSet, mode: 'apply' }));
const [afterApply, sameAfterApply] = [
  names(),
  JSON.stringify([...treeOf(root)]) === JSON.stringify([...before]),
];

fs.rmSync(ballast);
await landChanges({ changeSet, mode: 'apply' });
const isLandedWhole = JSON.stringify([...treeOf(root)]) === JSON.stringify([...treeOf(inside)]);
const seen = {
  pull,
  afterPull,
  leftOfPull,
  apply,
  afterApply,
  sameAfterApply,
  landed: names(),
  isLandedWhole,
};
process.stdout.write(JSON.stringify(seen));
