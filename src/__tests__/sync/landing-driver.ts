/**
 * A process of its own that lands, undoes or recovers, and kills itself at a step:
 *
 *   bun landing-driver.ts apply|undo|recover ROOT CHANGES_DIR KILL_AT     (KILL_AT -1: never)
 *
 * Prints each step before it is taken.
 */
import { writeSync } from 'node:fs';
import { loadChangeSet } from '../../sync/change-set.ts';
import { applyChanges, recoverLandings, undoLanding } from '../../sync/land-apply.ts';

const [verb, root = '', changesDir = '', killAt = '-1'] = process.argv.slice(2);
let count = 0;

function onStep(step: string): void {
  writeSync(1, `${step}\n`);
  if (count === Number(killAt)) process.kill(process.pid, 'SIGKILL');
  count += 1;
}

if (verb === 'apply') await applyChanges({ changeSet: loadChangeSet(changesDir), onStep });
else if (verb === 'undo') await undoLanding({ root, onStep });
else await recoverLandings(root, { onStep });
