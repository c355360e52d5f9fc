/**
 * `npm run quickstart`: makes this machine ready, then does the main job once on real input: a sandbox (a
 * "sprite") is started, a small real project is pushed into it, its tests run there, the sandbox is shown
 * with what it uses, and is killed. Ends with the first step's failure, and never leaves the sprite behind, nor
 * anything in this checkout: the project is a copy.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensure } from './ensure.mjs';
import { run, ScriptError, script } from './lib/shell.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const wreckit = join(root, 'bin', 'wreckit');
const PROJECT = '/home/sprite/project';

const EXIT_OF = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 };

function tell(text) {
  process.stdout.write(`${text}\n`);
}

/** Shows the command and lets it write to the terminal, as if typed in `cwd`. */
async function show(cwd, ...args) {
  tell(`\n$ wreckit ${args.map(shown).join(' ')}`);
  const status = await run(wreckit, args, { cwd });
  if (status !== 0) {
    throw new ScriptError(
      `wreckit ${args.slice(0, 2).join(' ')}: ended with ${status}`,
      'check this machine: bin/wreckit doctor',
      status,
    );
  }
}

function shown(word) {
  return /^[\w./:=@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** A program of this machine is seen in a sprite only where every user of the machine could see it. */
function testCommand(name) {
  const look = 'command -v node >/dev/null || exit 4; command -v npm >/dev/null || exit 5';
  const { status } = spawnSync(wreckit, ['sprite', 'exec', name, '--', 'sh', '-c', look], {
    cwd: root,
    stdio: 'ignore',
  });
  if (status === 0) return ['npm', 'test'];
  if (status === 5) return ['node', '--test', '--test-reporter=spec'];
  throw new ScriptError(
    `the sprite sees no node: yours is ${process.execPath}, and what lies in a home directory is in no sprite`,
    'install Node for every user (apt-get install -y nodejs npm, or unpack it below /usr/local), then run this again',
    6,
  );
}

async function tour(name, project) {
  tell(`\n$ cd ${shown(project)}`);
  await show(project, 'sprite', 'start', name);
  try {
    const command = testCommand(name);
    await show(project, 'sprite', 'push', name);
    await show(project, 'sprite', 'exec', name, '--dir', PROJECT, '--', ...command);
    await show(project, 'sprite', 'list');
    await show(project, 'sprite', 'info', name);
    await show(project, 'sprite', 'kill', name);
  } catch (error) {
    spawnSync(wreckit, ['sprite', 'kill', name], { cwd: root, stdio: 'ignore' });
    throw error;
  }
}

await script('quickstart', async () => {
  await ensure();
  const name = `quickstart-${process.pid}`;
  const dir = mkdtempSync(join(tmpdir(), 'wreckit-quickstart-'));
  const project = join(dir, 'ledger');
  const removeProject = () => rmSync(dir, { recursive: true, force: true });
  const leave = (exitCode) => {
    spawnSync(wreckit, ['sprite', 'kill', name], { cwd: root, stdio: 'ignore' });
    removeProject();
    process.exit(exitCode);
  };
  for (const [signal, exitCode] of Object.entries(EXIT_OF)) process.once(signal, () => leave(exitCode));
  // Nobody reads on (`| head`).
  process.stdout.once('error', () => leave(1));
  const startedAt = Date.now();
  try {
    cpSync(join(root, 'fixtures', 'project'), project, { recursive: true });
    await tour(name, project);
  } finally {
    removeProject();
  }
  tell(`
That was a real sandbox on this machine, started and removed again in ${((Date.now() - startedAt) / 1000).toFixed(1)} s.
The project's tests ran in it with this machine's tools, but without its files, processes or network.
Start your own: bin/wreckit sprite start demo, then push, exec, attach (bin/wreckit sprite --help).
For scripts, every command takes --json. If something does not work, bin/wreckit doctor says why and how to fix it.
Next: README.md has a tour, the configuration, and what a sprite isolates and what not.`);
});
