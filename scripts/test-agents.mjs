/**
 * `npm run test:agents`: the real command lines of agents against the stub model server, without keys. Installs
 * them (1 GB, once, kept in the user's cache) and runs scripts/real-agents.
 *
 *   npm run test:agents                 Claude Code and Codex
 *   npm run test:agents -- --all        OpenCode and Amp, too
 */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findBun } from './lib/bun.mjs';
import { ask, run, ScriptError, say, script } from './lib/shell.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const TIMEOUT_MS = 15 * 60_000;

/** The versions that src/agent/cli was measured with. */
const AGENTS = {
  claude: '@anthropic-ai/claude-code@2.1.197',
  codex: '@openai/codex@0.169.0',
  opencode: 'opencode-ai@1.18.33',
  // Later ones speak to their own service alone.
  amp: '@sourcegraph/amp@0.0.1774569934-g39e3ec',
};

function cacheDir() {
  const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache');
  return process.env.WRECKIT_TEST_CACHE ?? join(cache, 'wreckit');
}

/** The directory with the program `name`, installed where it isn't yet. */
async function ensureAgent(name) {
  const spec = AGENTS[name];
  const target = join(cacheDir(), `agent-${spec.replace(/[@/]+/g, '-').replace(/^-/, '')}`);
  const bin = join(target, 'node_modules', '.bin');
  if (starts(bin, name)) return bin;
  say(`test-agents: installing ${spec}`);
  mkdirSync(dirname(target), { recursive: true });
  const staged = mkdtempSync(`${target}-`);
  const flags = ['--no-save', '--no-package-lock', '--no-audit', '--no-fund', '--loglevel=error'];
  const status = await run('npm', ['install', '--prefix', staged, ...flags, spec], {
    cwd: staged,
    env: { ...process.env, CI: '1' },
  });
  if (status !== 0 || !starts(join(staged, 'node_modules', '.bin'), name)) {
    rmSync(staged, { recursive: true, force: true });
    throw new ScriptError(
      `${spec} could not be installed`,
      `npm must reach its registry; try: npm view ${spec}`,
    );
  }
  rmSync(target, { recursive: true, force: true });
  renameSync(staged, target);
  return bin;
}

/** A package can be there without its binary (install scripts blocked): only starting it tells. */
function starts(bin, name) {
  return existsSync(join(bin, name)) && ask(join(bin, name), ['--version'], { timeout: 60_000 }).status === 0;
}

await script('test-agents', async () => {
  const bun = findBun(root);
  if (bun === null) throw new ScriptError('Bun is missing', 'run: npm ci', 6);
  const names = process.argv.includes('--all') ? Object.keys(AGENTS) : ['claude', 'codex'];
  const bins = [];
  for (const name of names) bins.push(await ensureAgent(name));
  const files = readdirSync(join(root, 'scripts', 'real-agents')).filter((file) =>
    file.endsWith('.proof.ts'),
  );
  process.exitCode = await run(
    bun,
    ['test', '--isolate', '--timeout=120000', ...files.map((file) => `./scripts/real-agents/${file}`)],
    {
      cwd: root,
      env: { ...process.env, REAL_AGENTS: names.join(','), REAL_AGENTS_PATH: bins.join(delimiter) },
      timeoutMs: TIMEOUT_MS,
    },
  );
});
