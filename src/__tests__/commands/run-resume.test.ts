/** Where a resumed run goes on, and flags that contradict it. */
import { expect, test } from 'bun:test';
import { chmodSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../package-root.ts';
import { type SpriteProject, spriteProject } from '../helpers/sprite-project.ts';

const SAID = join(packageRoot(), 'fixtures/recorded/claude-ok.jsonl');

/** With a `claude` on PATH that says its recorded words, and a first run of it on this machine. */
function ranHere(): SpriteProject {
  const project = spriteProject();
  project.write({
    '.wreckit/bin/claude': `#!/bin/sh\ncat >/dev/null\necho "$@" >>"${project.beside('args')}"\ncat "${SAID}"\n`,
    '.wreckit/config.json': '{"agent": {"kind": "claude_sdk"}}',
  });
  chmodSync(join(project.path, '.wreckit/bin/claude'), 0o755);
  project.env.PATH = `${join(project.path, '.wreckit/bin')}:${project.env.PATH}`;
  project.env.ANTHROPIC_API_KEY = 'x';
  expect(project.run('--no-sandbox', 'go').data.run).toMatchObject({ outcome: 'completed', sandbox: false });
  return project;
}

function refusal(project: SpriteProject, ...args: string[]) {
  const { status, stdout } = project.wreckit('run', '--json', ...args);
  return { status, ...JSON.parse(stdout).error };
}

test('run --resume of a run on this machine is no leave to go on there: it must be said again', () => {
  using project = ranHere();
  for (const sandbox of [[], ['--sandbox']]) {
    const { status, code, message, hint } = refusal(project, ...sandbox, '--resume', 'latest', 'more');
    expect({ status, code }).toEqual({ status: 2, code: 'USAGE' });
    expect(message).toContain('on this machine');
    expect(hint).toContain('--no-sandbox --resume');
  }
  expect(JSON.parse(project.wreckit('runs', 'list', '--json').stdout).data.runs).toHaveLength(1);
  const again = project.run('--no-sandbox', '--resume', 'latest', 'more');
  expect(again).toMatchObject({ status: 0, data: { run: { sandbox: false } } });
});

test('run --resume goes on in the sprite of the earlier run, and in no other place', () => {
  using project = spriteProject({
    claude: '#!/bin/sh\ncat >/dev/null\necho "$@" >>args.txt\ncat said.jsonl\n',
    'said.jsonl': readFileSync(SAID, 'utf8'),
  });
  project.env.ANTHROPIC_API_KEY = 'x';
  const setup = ['mkdir -p ~/.local/bin && cp claude ~/.local/bin/ && chmod +x ~/.local/bin/claude'];
  const agent = { kind: 'sprite', agent: { kind: 'claude_sdk' }, network: 'none', setup };
  project.write({ '.wreckit/config.json': JSON.stringify({ agent }) });
  const first = project.run('--keep', 'go').data.run;
  expect(first.outcome).toBe('completed');
  expect(refusal(project, '--no-sandbox', '--resume', 'latest', 'x').message).toContain('is in sprite');
  expect(refusal(project, '--sprite', 'other', '--resume', 'latest', 'x').message).toContain('not other');
  const { data } = project.run('--resume', 'latest', 'more');
  expect(data.run).toMatchObject({ outcome: 'completed', sandbox: true });
  const { branch } = data.run.landing as { branch: string };
  expect(project.git('show', `${branch}:args.txt`)).toContain(`--resume ${first.agent_session}`);
});

test('run --resume refuses another agent, which could do nothing with the session', () => {
  using project = ranHere();
  const refused = refusal(project, '--no-sandbox', '--agent', 'codex', '--resume', 'latest', 'more');
  expect(refused).toMatchObject({ status: 2, code: 'USAGE' });
  expect(refused.message).toContain('its agent is claude_sdk, not codex_sdk');
});

test.each([
  [['--parallel', '1', 'tasks.jsonl', '--events'], '--events'],
  [['--parallel', '1', 'tasks.jsonl', '--resume', 'latest'], '--resume'],
  [['--events', 'go'], '--events'],
])('run --json %p is refused and names the flag', (args, flag) => {
  using project = spriteProject({ 'tasks.jsonl': '"go"\n' });
  project.agent('true');
  const refused = refusal(project, ...args);
  expect(refused).toMatchObject({ status: 2, code: 'USAGE' });
  expect(refused.message).toContain(flag);
});

test('run --events ends with the record, also when the agent never ran', () => {
  using project = spriteProject();
  project.agent('true', { setup: ['exit 3'] });
  const { status, stdout, stderr } = project.wreckit('run', '--events', 'go');
  const last = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '');
  expect(status).toBe(1);
  expect(last).toMatchObject({ type: 'run', outcome: 'failed', state: 'ended', step: 'setup' });
  expect(stderr).toContain('error: setup: "exit 3" ended with exit 3');
});
