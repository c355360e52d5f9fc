import { describe, expect, test } from 'bun:test';
import { bytePathOfText, showPath, toBytePath } from '../../sync/byte-path.ts';
import { findCaseClashes } from '../../sync/case-clash.ts';
import { linkFault } from '../../sync/link-safety.ts';
import { isGitName, isPrivateToHost, pathFault } from '../../sync/path-safety.ts';
import { compilePatterns } from '../../sync/patterns.ts';
import { secretVerdict } from '../../sync/secrets.ts';

describe('`isGitName()`', () => {
  const SAME = [
    '.git',
    '.GIT',
    '.Git',
    'git~1',
    'GIT~1',
    'git~2',
    '.git ',
    '.git.',
    '.git. .',
    'git~1.',
    '.git::$INDEX_ALLOCATION',
    '.git:x',
    '.git\\config',
    '..\\.git',
    '.g\u200cit',
    '.gi\u200dt',
    '\ufeff.git',
    '.\u202agit',
  ];
  for (const name of SAME) {
    test(`takes ${JSON.stringify(name)} for git's directory`, () => {
      expect(isGitName(bytePathOfText(name))).toBe(true);
    });
  }
  for (const name of ['.gitignore', 'git', '.github', 'git~', 'git~x', 'a.git', '.git2', '.gitmodules']) {
    test(`lets ${JSON.stringify(name)} through`, () => expect(isGitName(name)).toBe(false));
  }
});

describe('`pathFault()`', () => {
  for (const path of [
    '',
    '/etc/passwd',
    '..',
    'a/../b',
    'a//b',
    './a',
    'a/.',
    'a\0b',
    'a/.git/hooks/x',
    `${'x'.repeat(256)}`,
  ]) {
    test(`refuses ${JSON.stringify(path.slice(0, 30))}`, () => expect(pathFault(path)).not.toBeNull());
  }
  for (const path of ['a', '-rf', 'a\nb', '\xff\xfe', ' ', '...', 'a/..b', 'con', 'a:b', 'C:\\x']) {
    test(`accepts ${JSON.stringify(path)} on Linux`, () => expect(pathFault(path, 'linux')).toBeNull());
  }
  for (const path of ['con', 'COM1.txt', 'a:b', 'C:\\x', 'a\\..\\b', 'end.', 'end ', 'a?', 'x/nul']) {
    test(`refuses ${JSON.stringify(path)} on Windows`, () => expect(pathFault(path, 'win32')).not.toBeNull());
  }
});

test('`isPrivateToHost()` covers what decides how the next run is sandboxed, in any case', () => {
  for (const path of [
    '.wreckit/config.local.json',
    '.wreckit/sync',
    '.wreckit/sync/x',
    '.WRECKIT/runs/1/prompt',
    'packages/a/.wreckit/config.local.json',
  ]) {
    expect(isPrivateToHost(path)).toBe(true);
  }
  for (const path of ['.wreckit/config.json', '.wreckit/items/1', 'a/.wreckit/sync/x', '.wreckit/syncs']) {
    expect(isPrivateToHost(path)).toBe(false);
  }
});

describe('`linkFault()`', () => {
  const links = new Map([
    ['out', '/mnt/data'],
    ['up', '..'],
    ['sub/up', '../..'],
    ['dir', 'sub'],
    ['loop', 'loop'],
    ['to-git', '.git'],
  ]);
  const faultOf = (path: string, target: string): string | null =>
    linkFault(path, target, (at) => links.get(at) ?? null);
  const REFUSED: [path: string, target: string][] = [
    ['a', '/etc/passwd'],
    ['a', '..'],
    ['a', '../x'],
    ['sub/a', '../../x'],
    ['a', 'x/../../y'],
    ['a', '.git/config'],
    ['a', '.GIT'],
    ['sub/a', '../git~1/hooks'],
    ['a', 'out/x'],
    ['a', 'up/x'],
    ['a', 'sub/up/x'],
    ['a', 'dir/../../x'],
    ['a', 'loop'],
    ['a', 'to-git/hooks'],
    ['a', ''],
    ['.gitattributes', 'x'],
    ['sub/.gitmodules', '../x'],
    ['a', '.wreckit/config.local.json'],
    ['a', 'x'.repeat(5000)],
  ];
  for (const [path, target] of REFUSED) {
    test(`refuses ${path} -> ${target.slice(0, 30)}`, () => expect(faultOf(path, target)).not.toBeNull());
  }
  const ACCEPTED: [path: string, target: string][] = [
    ['a', 'b'],
    ['sub/a', '../b'],
    ['sub/deep/a', '../../b'],
    ['a', 'dir/x'],
    ['a', 'sub/../b'],
    ['a', '.'],
    ['a', 'missing/x'],
  ];
  for (const [path, target] of ACCEPTED) {
    test(`accepts ${path} -> ${target}`, () => expect(faultOf(path, target)).toBeNull());
  }
});

describe('`compilePatterns()`', () => {
  const CASES: [pattern: string, path: string, matches: boolean][] = [
    ['*.log', 'a.log', true],
    ['*.log', 'd/e/a.log', true],
    ['*.log', 'a.log/b', true],
    ['*.log', 'a.logs', false],
    ['dist', 'dist/x/y', true],
    ['dist', 'p/dist/x', true],
    ['dist/', 'dist', false],
    ['dist/', 'p/dist/x', true],
    ['/dist', 'p/dist', false],
    ['/dist', 'dist/x', true],
    ['docs/*.md', 'docs/a.md', true],
    ['docs/*.md', 'docs/x/a.md', false],
    ['docs/*.md', 'p/docs/a.md', false],
    ['a/**/b', 'a/b', true],
    ['a/**/b', 'a/x/y/b', true],
    ['**/x', 'x', true],
    ['a/**', 'a/b', true],
    ['a/**', 'a', false],
    ['a?c', 'abc', true],
    ['a?c', 'a/c', false],
    ['[a-c]x', 'bx', true],
    ['[!a]x', 'ax', false],
    ['a.c', 'abc', false],
    ['a+b', 'a+b', true],
    ['[', '[', true],
    ['\\*', '*', true],
    ['\\*', 'a', false],
    ['n*', 'n\nl', true],
  ];
  for (const [pattern, path, matches] of CASES) {
    test(`${JSON.stringify(pattern)} ${matches ? 'matches' : 'leaves'} ${JSON.stringify(path)}`, () => {
      expect(compilePatterns([pattern]).match(path) !== null).toBe(matches);
    });
  }
  test('takes a name that is not ASCII by its bytes, and `?` for one character of it', () => {
    expect(compilePatterns(['ä?']).match(bytePathOfText('äö'))).toBe('ä?');
    expect(compilePatterns(['?']).match('\xff')).toBe('?');
  });
  for (const pattern of ['', '!a', '../x', 'a/../b', '[z-a]']) {
    test(`refuses ${JSON.stringify(pattern)}`, () => {
      expect(() => compilePatterns([pattern])).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
    });
  }
});

describe('`secretVerdict()`', () => {
  const none = (): string => '';
  const BY_NAME = [
    '.env',
    'a/.env',
    '.env.local',
    '.ENV',
    '.envrc',
    '.env-prod',
    'id_rsa',
    'k/id_ed25519',
    '.ssh/config',
    '.netrc',
    '_netrc',
    'x.p12',
    'x.jks',
    '.git-credentials',
    '.aws/credentials',
    '.kube/config',
    '.docker/config.json',
    'terraform.tfstate',
    '.wreckit/config.local.json',
    'config/master.key',
    '.gnupg/x',
    'secrets.yml',
    'packages/a/.wreckit/config.local.json',
    '.claude/.credentials.json',
  ];
  for (const path of BY_NAME)
    test(`keeps ${path} by its name`, () => expect(secretVerdict(path, none)).not.toBeNull());
  const KEY = '-----BEGIN RSA PRIVATE KEY-----\nMII';
  const BY_CONTENT: [path: string, secret: string, harmless: string][] = [
    ['a.pem', KEY, '-----BEGIN CERTIFICATE-----'],
    ['tls.key', KEY, 'not a key'],
    ['.npmrc', '//registry.example/:_authToken=npm_abc', '//registry.example/:_authToken=\u0024{NPM_TOKEN}'],
    ['.wreckitrc', '{"agent":{"env":{"ANTHROPIC_API_KEY":"sk-x"}}}', '{"agent":{"kind":"rlm"}}'],
    ['.wreckit/config.json', '{"agent":{"token":"abc"}}', '{"base_branch":"main"}'],
    ['service-account.json', '{"private_key":"x"}', '{"name":"x"}'],
    ['prod.env', 'DB_PASSWORD=x', 'PORT=80'],
  ];
  for (const [path, secret, harmless] of BY_CONTENT) {
    test(`keeps ${path} where a secret is in it, and only there`, () => {
      expect(secretVerdict(path, () => secret)).not.toBeNull();
      expect(secretVerdict(path, () => null)).not.toBeNull();
      expect(secretVerdict(path, () => harmless)).toBeNull();
    });
  }
  for (const path of [
    '.env.example',
    '.env.sample',
    'id_rsa.pub',
    'environment.ts',
    'src/token.ts',
    'keys.md',
    '.envoy/x',
  ]) {
    test(`lets ${path} go`, () => expect(secretVerdict(path, () => KEY)).toBeNull());
  }
});

test('`findCaseClashes()` finds other spellings of names and of directories above them', () => {
  expect(findCaseClashes(['README', 'src/a'], ['readme', 'SRC/b', 'c'])).toEqual([
    ['SRC/b', 'src'],
    ['readme', 'README'],
  ]);
  expect(findCaseClashes([], ['x', 'X'])).toEqual([['x', 'X']]);
  const [nfc, nfd] = ['\u00e9', 'e\u0301'].map(bytePathOfText);
  expect(findCaseClashes([nfc ?? ''], [nfd ?? ''])).toHaveLength(1);
});

test('`showPath()` escapes what would not show, and what steers a terminal', () => {
  expect(showPath(toBytePath(Buffer.from('ä\n\x1b[31m')))).toBe('ä\\n\\x1b[31m');
  expect(showPath('a\xff')).toBe('a\\xff');
});
