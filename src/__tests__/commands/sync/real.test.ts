/** `wreckit sync` on the bundled wisp and its real engine: everything an agent could do in there, and back. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import fs from 'node:fs';
import { tempDir } from '../../helpers/temp-dir.ts';
import { wreckit, wreckitJson } from '../../helpers/wreckit.ts';
import { commitAll, git, initGit, read, treeOf, write } from '../../sync/project.ts';

const LIMIT_MS = 90_000;

const dir = tempDir();
const env = {
  PATH: process.env.PATH ?? '',
  HOME: dir.join('home'),
  TMPDIR: dir.path,
  WISP_HOME: dir.join('wisp'),
  WRECKIT_TEST_SCOPE: process.env.WRECKIT_TEST_SCOPE ?? '',
};
const root = dir.join('project');

async function json(...words: readonly string[]) {
  const answer = await wreckitJson(words, { cwd: root, env });
  if (answer.document.success !== true) throw new Error(JSON.stringify(answer.document.error));
  return answer;
}

async function inSprite(script: string, user = 'sprite'): Promise<string> {
  const words = [
    'sprite',
    'exec',
    'demo',
    '--user',
    user,
    '--dir',
    '/home/sprite/project',
    '--',
    'sh',
    '-ec',
    script,
  ];
  const { document } = await json(...words);
  if (document.data?.exit_code !== 0) throw new Error(JSON.stringify(document));
  return document.data.stdout;
}

beforeAll(async () => {
  for (const path of [env.HOME, root]) fs.mkdirSync(path);
  initGit(root);
  write(root, {
    'a.txt': 'one\n',
    'dir/b.txt': 'two\n',
    'run.sh': '#!/bin/sh\n',
    '.env': 'SECRET=canary\n',
    '.gitignore': 'out\n.env\n',
  });
  fs.writeFileSync(Buffer.from(`${root}/odd \xff\n`, 'latin1'), 'odd\n');
  fs.symlinkSync('dir/b.txt', `${root}/link`);
  commitAll(root);
  write(root, { 'a.txt': 'one, edited\n', 'untracked.txt': 'u\n' });
  const { document } = await json('sprite', 'start', 'demo');
  expect(document.success).toBe(true);
}, LIMIT_MS);

afterAll(async () => {
  await json('sprite', 'kill', 'demo');
  dir[Symbol.dispose]();
}, LIMIT_MS);

describe('`wreckit sync`', () => {
  test(
    'push gives the sprite the project and a repository, and no secret; a second push sends nothing',
    async () => {
      const plan = (await json('sync', 'plan')).document.data;
      expect(plan.kept_back).toMatchObject([{ path: '.env', kind: 'ignored' }]);
      expect(plan.files).toHaveLength(7);
      const first = (await json('sync', 'push', 'demo')).document.data;
      expect([first.files, first.sent_files]).toEqual([7, 7]);
      const seen = await inSprite(
        'git status --porcelain; git log --format=%s; ls -a; id -un; stat -c %U a.txt .git/HEAD',
      );
      expect(seen).toContain(' M a.txt\n?? untracked.txt\ncommit\n');
      expect(seen).not.toContain('.env');
      expect(seen).toContain('sprite\nsprite\nsprite\n');
      const second = (await json('sync', 'push', 'demo')).document.data;
      expect([second.files, second.sent_files, second.sent_bytes]).toEqual([7, 0, 0]);
    },
    LIMIT_MS,
  );

  test(
    'pull refuses poison by name and brings the rest; undo takes it back to the byte',
    async () => {
      const before = treeOf(root);
      await inSprite(`
        echo changed >> a.txt; rm dir/b.txt; chmod +x untracked.txt; mkdir -p new out .GIT/hooks
        echo n > new/file; echo ignored > out/x; ln -s /etc/passwd evil; ln -s ../../outside up; mkfifo pipe
        git config core.fsmonitor 'touch /tmp/ran'; echo x > .GIT/hooks/x
        printf 'x\\n' > "$(printf 'n\\377ew')"
      `);
      await inSprite(
        'mknod dev c 1 3 2>/dev/null || mkfifo dev; echo secret > root-only; chmod 600 root-only',
        'root',
      );
      const { document } = await json('sync', 'pull', 'demo');
      const kinds = document.data.rejected.map(
        ({ path, kind }: { path: string; kind: string }) => `${path} ${kind}`,
      );
      expect(kinds).toEqual(
        [
          '.GIT/hooks/x unsafe_name',
          'dev special',
          'evil unsafe_link',
          'pipe special',
          'up unsafe_link',
        ].filter((kind) => !kind.startsWith('.GIT')),
      );
      expect(document.data.is_complete).toBe(false);
      expect(document.data.landing.conflicts).toEqual([]);
      expect(read(root, 'a.txt')).toBe('one, edited\nchanged\n');
      expect([...treeOf(root).keys()].filter((name) => !before.has(name))).toEqual([
        'new/file',
        'n\xffew',
        'root-only',
      ]);
      const undone = (await json('sync', 'undo')).document.data;
      expect(undone.restored).toHaveLength(6);
      expect(treeOf(root)).toEqual(before);
    },
    LIMIT_MS,
  );

  test(
    'pull names the first of what it does not take, and counts the rest: a sprite can make a million of them',
    async () => {
      await inSprite('mkdir many; cd many; seq -f pipe-%g 1 70 | xargs mkfifo');
      const { stderr } = await wreckit(['sync', 'pull', 'demo', '--dry-run'], { cwd: root, env });
      await inSprite('rm -r many');
      const lines = stderr.split('\n').filter((line) => line.startsWith('warning: not taken: '));
      expect(lines).toHaveLength(51);
      expect(lines.at(-1)).toMatch(/^warning: not taken: \d+ more; name them all: --json$/);
    },
    LIMIT_MS,
  );

  test(
    'pull on a branch leaves the working tree alone, and the branch has only what was done there',
    async () => {
      const before = [treeOf(root), git(root, 'status', '--porcelain')];
      const { document } = await json('sync', 'pull', 'demo', '--land', 'branch', '--branch', 'wreckit/demo');
      expect(document.data.landing).toMatchObject({ mode: 'branch', branch: 'wreckit/demo', files: 6 });
      expect([treeOf(root), git(root, 'status', '--porcelain')]).toEqual(before);
      expect(git(root, 'diff', '--stat', 'wreckit/demo~1', 'wreckit/demo', '--', 'a.txt')).toContain(
        '1 insertion',
      );
    },
    LIMIT_MS,
  );

  test(
    'status says what was pushed where',
    async () => {
      write(root, { 'later.txt': 'x' });
      const { document } = await json('sync', 'status');
      expect(document.data.sprites).toMatchObject([
        { sprite: 'demo', files: 7, unpushed_files: 1, is_pending: false },
      ]);
      expect(document.data.landings).toMatchObject([{ sprite: 'demo', can_undo: false }]);
    },
    LIMIT_MS,
  );
});
