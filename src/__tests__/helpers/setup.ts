/**
 * Loaded before every test file (bunfig.toml). Gives the file a home and a temporary directory of its own
 * and no settings of the person who runs it; afterwards whatever is left behind fails the file and is removed.
 */
import { afterAll } from 'bun:test';
import { chmodSync, mkdirSync, mkdtempSync, realpathSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { buildIfStale } from './build-if-stale.ts';
import { describe, removeLeaks, SCOPE_VARIABLE, settledLeaks, spriteGroups } from './leaks.ts';
import { removeTree } from './remove-tree.ts';

/** Settings that would lead the programs to somebody's real files, accounts or proxies. */
const PERSONAL = /^(XDG_|WISP_|WRECKIT_(?!TEST_)|SPRITES?_|ANTHROPIC_|OPENAI_|GEMINI_|GOOGLE_|GIT_)/;

buildIfStale();
// npm, where a test needs it, keeps the person's registry and cache; so do the Nodes of the tests.
process.env.WRECKIT_TEST_HOME ??= homedir();
process.env.WRECKIT_TEST_CACHE ??= join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'wreckit');

const groupsBefore = spriteGroups();
const scope = realpathSync(mkdtempSync(join(tmpdir(), 'wk-')));
// A test may run something as another user, who must get through here.
chmodSync(scope, 0o711);
for (const name of Object.keys(process.env)) {
  if (PERSONAL.test(name)) delete process.env[name];
}
process.env.HOME = join(scope, 'home');
process.env.TMPDIR = scope;
process.env[SCOPE_VARIABLE] = scope;
process.env.XDG_RUNTIME_DIR = join(scope, 'run');
for (const dir of [process.env.HOME, process.env.XDG_RUNTIME_DIR]) mkdirSync(dir, { mode: 0o700 });

afterAll(async () => {
  const leaks = await settledLeaks(scope, groupsBefore);
  removeLeaks(leaks);
  removeTree(scope);
  const list = describe(leaks);
  if (list.length > 0) throw new Error(`${basename(process.argv[1] ?? '')} left behind:\n${list.join('\n')}`);
}, 30_000);
