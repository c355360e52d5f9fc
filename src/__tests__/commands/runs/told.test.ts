/** What a run says of its work: everything that did not come back as one would expect it. */
import { expect, test } from 'bun:test';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { spriteProject } from '../../helpers/sprite-project.ts';

test('a run tells of clashing names, of new files that git ignores, and of what its push warned of', () => {
  using project = spriteProject({ 'a.txt': 'one\n', '.gitignore': '.wreckit/\n*.log\n' });
  project.agent('echo other > A.TXT; echo x > one.log; echo y > two.log', { network: 'open' });
  const { data } = project.run('go');
  expect(data.run).toMatchObject({ changed_files: 1, ignored_files: 2 });
  const warnings = data.run.warnings as string[];
  expect(warnings).toContain('A.TXT and a.txt are one file where case does not count');
  expect(warnings.some((text) => text.includes("shares the host's network"))).toBe(true);
  const { stdout } = project.wreckit('runs', 'show');
  expect(stdout).toContain('warning: A.TXT and a.txt are one file');
  expect(stdout).toContain('not taken over: 2 new files that git ignores');
});

test('a run that changed a submodule names the branch in it', () => {
  using inner = spriteProject({ 's.txt': 's\n' });
  using project = spriteProject();
  project.git('-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', inner.path, 'sub');
  project.git('commit', '-qm', 'with a submodule');
  project.agent('echo more >> sub/s.txt');
  const { data } = project.run('go');
  const branch = `wreckit/${data.run.id}`;
  const commit = project.git('-C', 'sub', 'rev-parse', branch).trim();
  expect(data.run.landing).toMatchObject({
    branch,
    submodule_branches: [{ path: 'sub/', branch, commit }],
  });
  expect(project.git('ls-tree', branch, 'sub')).toContain(commit);
  expect(project.wreckit('runs', 'show').stdout).toContain(`with branch ${branch} in sub/`);
});

test('a landing outside of git says why it is a patch', () => {
  using project = spriteProject();
  rmSync(join(project.path, '.git'), { recursive: true });
  project.agent('echo two >> a.txt');
  const { stdout } = project.wreckit('run', 'go');
  expect(stdout).toContain('warning: the project is not in git: the changes are in a patch file instead');
});
