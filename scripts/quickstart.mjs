/**
 * `npm run quickstart`: makes this machine ready, then does the main job once on real input: a sandbox (a
 * "sprite") is started, a small real project is pushed into it, its tests run there, the sandbox is shown
 * with what it uses, and is killed. Ends with the first step's failure, and never leaves the sprite behind.
 */
import { spawnSync } from 'node:child_process';
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

/** Shows the command and lets it write to the terminal, as if typed. */
async function show(...args) {
  tell(`\n$ wreckit ${args.map(shown).join(' ')}`);
  const status = await run(wreckit, args, { cwd: root });
  if (status !== 0) {
    throw new ScriptError(
      `wreckit ${args.slice(0, 2).join(' ')}: ended with ${status}`,
      'check this machine: bin/wreckit doctor',
      status,
    );
  }
}

function shown(word) {
  const text = word.startsWith(root) ? word.slice(root.length + 1) : word;
  return /^[\w./:=@%+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
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

async function tour(name) {
  await show('sprite', 'start', name);
  try {
    const command = testCommand(name);
    await show('sprite', 'push', name, join(root, 'fixtures', 'project'), PROJECT);
    await show('sprite', 'exec', name, '--dir', PROJECT, '--', ...command);
    await show('sprite', 'list');
    await show('sprite', 'info', name);
    await show('sprite', 'kill', name);
  } catch (error) {
    spawnSync(wreckit, ['sprite', 'kill', name], { cwd: root, stdio: 'ignore' });
    throw error;
  }
}

await script('quickstart', async () => {
  await ensure();
  const name = `quickstart-${process.pid}`;
  const interrupted = (signal) => {
    spawnSync(wreckit, ['sprite', 'kill', name], { cwd: root, stdio: 'ignore' });
    process.exit(EXIT_OF[signal]);
  };
  for (const signal of Object.keys(EXIT_OF)) process.once(signal, interrupted);
  const startedAt = Date.now();
  await tour(name);
  tell(`
That was a real sandbox on this machine, started and removed again in ${((Date.now() - startedAt) / 1000).toFixed(1)} s.
The project's tests ran in it with this machine's tools, but without its files, processes or network.
Start your own: bin/wreckit sprite start demo, then push, exec, attach (bin/wreckit sprite --help).
For scripts, every command takes --json. If something does not work, bin/wreckit doctor says why and how to fix it.
Next: README.md has a tour, the configuration, and what a sprite isolates and what not.`);
});
