import { describe, expect, test } from 'bun:test';
import { mkdirSync, writeFileSync } from 'node:fs';
import { type TempDir, tempDir } from '../helpers/temp-dir.ts';
import { wreckit, wreckitJson } from '../helpers/wreckit.ts';

function projectIn(
  dir: TempDir,
  config: string,
  local?: string,
): { cwd: string; env: Record<string, string> } {
  mkdirSync(dir.join('.wreckit'));
  writeFileSync(dir.join('.wreckit/config.json'), config);
  if (local !== undefined) writeFileSync(dir.join('.wreckit/config.local.json'), local);
  return { cwd: dir.path, env: { HOME: dir.join('home') } };
}

const LOCAL = `{
  "agent": {
    "token": "canary-token",
    "env": { "MY_PAT": "canary-pat", "ANTHROPIC_BASE_URL": "https://u:canary-login@example.com" },
    "setup": ["curl -H 'x-api-key: canary-setup' x"]
  }
}`;

describe('wreckit config show', () => {
  test('prints the configuration in force as JSON that loads again', async () => {
    using dir = tempDir();
    const options = projectIn(dir, '{ "max_iterations": 7, // comment\n}');
    const { stdout, exitCode } = await wreckit(['config', 'show'], options);
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ max_iterations: 7, agent: { kind: 'sprite', maxVMs: 5 } });
    writeFileSync(dir.join('again.json'), stdout);
    const again = await wreckit(['config', 'show', '--config', 'again.json'], options);
    expect(again.stdout).toBe(stdout);
  });

  test('--origin names the file and line, variable or default of every value', async () => {
    using dir = tempDir();
    const { cwd, env } = projectIn(
      dir,
      '{\n  "base_branch": "develop",\n  "agent": {"kind": "sprite",\n"maxVMs": 3}\n}',
    );
    const asked = {
      cwd,
      env: { ...env, WRECKIT_DEFAULT_CPUS: '2', SPRITES_TOKEN: 'canary', OPENAI_API_KEY: 'canary' },
    };
    const { stdout } = await wreckit(['config', 'show', '--origin'], asked);
    const lines = stdout.split('\n').map((line) => line.split(/\s{2,}/));
    expect(lines).toContainEqual(['base_branch', 'develop', '.wreckit/config.json:2']);
    expect(lines).toContainEqual(['agent.maxVMs', '3', '.wreckit/config.json:4']);
    expect(lines).toContainEqual(['agent.defaultCPUs', '2', 'WRECKIT_DEFAULT_CPUS']);
    expect(lines).toContainEqual(['agent.defaultMemory', '512MiB', 'default']);
    expect(lines).toContainEqual(['sprites token', '[redacted]', 'SPRITES_TOKEN']);
    expect(lines).toContainEqual(['OPENAI_API_KEY', '[redacted]', 'OPENAI_API_KEY']);
    expect(stdout).not.toContain('canary');
    const { document } = await wreckitJson(['config', 'show', '--origin'], asked);
    expect(document.data.values).toContainEqual({
      key: 'agent.maxVMs',
      value: 3,
      origin: { kind: 'file', source: dir.join('.wreckit/config.json'), line: 4 },
    });
  });

  test('shows how sprites are made also where the agent is none', async () => {
    using dir = tempDir();
    const { cwd, env } = projectIn(dir, '{"agent": {"command": "my-agent"}}');
    const { stdout } = await wreckit(['config', 'show', '--origin'], {
      cwd,
      env: { ...env, WRECKIT_MAX_VMS: '2' },
    });
    const lines = stdout.split('\n').map((line) => line.split(/\s{2,}/));
    expect(lines).toContainEqual(['agent.kind', 'process', '.wreckit/config.json:1']);
    expect(lines).toContainEqual(['sprite.maxVMs', '2', 'WRECKIT_MAX_VMS']);
    expect(lines).toContainEqual(['sprite.timeout', '300', 'default']);
  });

  test('hides every secret, in text and in JSON', async () => {
    using dir = tempDir();
    const options = projectIn(dir, '{}', LOCAL);
    const shown = [
      await wreckit(['config', 'show'], options),
      await wreckit(['config', 'show', '--origin'], options),
      await wreckit(['config', 'show', '--json', '--origin', '--verbose'], options),
    ];
    for (const { stdout, stderr } of shown) expect(stdout + stderr).not.toContain('canary');
    expect(shown[1]?.stdout).toMatch(/sprites token +\[redacted\] +\.wreckit\/config\.local\.json:3/);
    expect(shown[1]?.stdout).toMatch(/agent\.env\.MY_PAT +\[redacted\] +\.wreckit\/config\.local\.json:4/);
  });

  test('lists what is ignored and warns of it', async () => {
    using dir = tempDir();
    const options = projectIn(dir, '{"skills": {}, "agent": {"kind": "rlm", "mode": "sdk"}}');
    const { document, stderr } = await wreckitJson(['config', 'show'], options);
    expect(document.data.ignored.map(({ key }: { key: string }) => key)).toEqual(['agent.mode', 'skills']);
    expect(stderr).toContain('warning: .wreckit/config.json:1: agent.mode is ignored');
    expect((await wreckit(['config', 'show', '-q'], options)).stderr).toBe('');
  });

  test('refuses a broken file with exit 2, in text and in JSON', async () => {
    using dir = tempDir();
    const options = projectIn(dir, '{"agent": {"kind": "sprite", "timeout": "soon"}}');
    const { exitCode, document } = await wreckitJson(['config', 'show'], options);
    expect(exitCode).toBe(2);
    expect(document.error).toMatchObject({ code: 'CONFIG_INVALID', details: { line: 1 } });
    const human = await wreckit(['config', 'show'], options);
    expect(human).toMatchObject({ exitCode: 2, stdout: '' });
    expect(human.stderr).toStartWith('error: config: .wreckit/config.json:1: agent.timeout: "soon" is not');
  });

  test('fits the terminal', async () => {
    using dir = tempDir();
    const options = projectIn(dir, JSON.stringify({ pr_checks: { commands: ['x'.repeat(300)] } }));
    const { stdout } = await wreckit(['config', 'show', '--origin'], { ...options, columns: 90 });
    const lines = stdout.replace(/\x1b\[\d+m/g, '').split('\n');
    expect(Math.max(...lines.map((line) => line.length))).toBe(90);
  });
});
