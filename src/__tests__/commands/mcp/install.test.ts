import { expect, test } from 'bun:test';
import { readFileSync, writeFileSync } from 'node:fs';
import { tempDir } from '../../helpers/temp-dir.ts';
import { wreckit, wreckitJson } from '../../helpers/wreckit.ts';

test('wreckit mcp install prints each client its configuration, and writes nothing', async () => {
  using dir = tempDir();
  for (const client of ['claude', 'codex', 'opencode']) {
    const { stdout, exitCode } = await wreckit(['mcp', 'install', client], {
      cwd: dir.path,
      env: { HOME: dir.path },
    });
    expect([exitCode, stdout.includes('wreckit')]).toEqual([0, true]);
  }
  expect((await wreckit(['mcp', 'install', 'nosuch'], { cwd: dir.path })).exitCode).toBe(2);
});

test('wreckit mcp install --write adds to what is there, once, and overwrites nothing', async () => {
  using dir = tempDir();
  const options = { cwd: dir.path, env: { HOME: dir.path } };
  const file = dir.join('opencode.json');
  writeFileSync(file, '{\n  // mine\n  "model": "x"\n}\n');
  const written = await wreckitJson(['mcp', 'install', 'opencode', '--write'], options);
  expect(written.document.data.written).toBe(true);
  const text = readFileSync(file, 'utf8');
  expect([text.includes('// mine'), text.includes('"wreckit"')]).toEqual([true, true]);
  expect((await wreckitJson(['mcp', 'install', 'opencode', '--write'], options)).document.data.written).toBe(
    false,
  );
  expect(readFileSync(file, 'utf8')).toBe(text);

  await wreckit(['mcp', 'install', 'codex', '--write'], options);
  expect(readFileSync(dir.join('.codex', 'config.toml'), 'utf8')).toBe(
    '[mcp_servers.wreckit]\ncommand = "wreckit"\nargs = ["mcp"]\n',
  );

  writeFileSync(dir.join('.mcp.json'), '{"mcpServers":{"wreckit":{"command":"other"}}}');
  const refused = await wreckitJson(['mcp', 'install', 'claude', '--write'], options);
  expect(refused.document.error.code).toBe('CONFLICT');
});
