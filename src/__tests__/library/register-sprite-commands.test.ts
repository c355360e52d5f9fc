import { expect, test } from 'bun:test';
import { PassThrough, Readable } from 'node:stream';
import { Command } from 'commander';
import { registerSpriteCommands, type SpriteCommandOptions } from '../../library/index.ts';
import { definedEnv } from '../agent/rlm/tool-kit.ts';
import { type TempDir, tempDir } from '../helpers/temp-dir.ts';

interface Host extends Disposable {
  readonly dir: TempDir;
  /** What a command line prints and ends with. */
  call(
    words: readonly string[],
    more?: SpriteCommandOptions,
  ): Promise<{ out: string; err: string; code: number }>;
}

function host(register: (program: Command, options: SpriteCommandOptions) => void): Host {
  const dir = tempDir();
  const env = { ...definedEnv(), WISP_HOME: dir.join('wisp'), XDG_STATE_HOME: dir.join('state') };
  return {
    dir,
    async call(words, more = {}) {
      const streams = { stdout: new PassThrough(), stderr: new PassThrough() };
      let code = -1;
      const program = new Command('host').exitOverride().option('--profile <name>');
      const onExit = (exitCode: number): void => {
        code = exitCode;
      };
      register(program, { ...streams, env, cwd: dir.path, onExit, ...more });
      await program.parseAsync([...words], { from: 'user' });
      const text = (stream: PassThrough): string => String(stream.read() ?? '');
      return { out: text(streams.stdout), err: text(streams.stderr), code };
    },
    [Symbol.dispose]: () => dir[Symbol.dispose](),
  };
}

const SLOW = 90_000;

test(
  'registerSpriteCommands() gives another program the verbs, with its streams and its exit code',
  async () => {
    using program = host((command, options) => registerSpriteCommands(command, options));
    const exitCode = process.exitCode;
    expect(await program.call(['sprite', 'start', 'demo'])).toMatchObject({ err: '', code: 0 });
    try {
      const exec = (...words: string[]) => program.call(['sprite', 'exec', 'demo', ...words]);
      expect(await exec('--', 'sh', '-c', 'echo "a  b"; echo odd >&2; exit 7')).toEqual({
        out: 'a  b\n',
        err: 'odd\n',
        code: 7,
      });
      // "--" and options belong to the command, whatever the host's commander makes of them.
      expect((await exec('--', 'echo', '--', '--json', '-x', 'sprite')).out).toBe('-- --json -x sprite\n');
      const stdin = Readable.from([Buffer.from('from the host')]);
      const fed = await program.call(['sprite', 'exec', 'demo', '--stdin', '--', 'cat'], { stdin });
      expect([fed.out, fed.code]).toEqual(['from the host', 0]);
      const listed = await program.call(['--profile', 'sprite', 'sprite', 'list', '--json']);
      expect(JSON.parse(listed.out)).toMatchObject({
        success: true,
        verb: 'sprite list',
        data: { sprites: [{ name: 'demo' }] },
      });
    } finally {
      await program.call(['sprite', 'kill', 'demo']);
    }
    expect(process.exitCode).toBe(exitCode);
  },
  SLOW,
);

test('registerSpriteCommands() tells errors and help under the name of the host', async () => {
  using program = host((command, options) => {
    registerSpriteCommands(command.command('vm'), { ...options, name: 'box' });
  });
  const unknown = await program.call(['vm', 'box', 'strat']);
  expect(unknown).toMatchObject({ out: '', code: 2 });
  expect(unknown.err).toBe(
    'error: host vm box: "strat" is not a command\nhint: did you mean: host vm box start\n',
  );
  const missing = await program.call(['vm', 'box', 'exec', 'nosuch', '--', 'true']);
  expect([missing.code, missing.err]).toEqual([
    125,
    'error: sprite "nosuch": no such sprite\nhint: list all sprites: host vm box list\n',
  ]);
  const help = await program.call(['vm', 'box', 'exec', '--help']);
  expect(help.out).toContain('Usage: host vm box exec [options] <sprite> -- <command...>');
  expect(help.out).toContain('host vm box exec demo -- npm test');
  expect(help.out).not.toContain('wreckit');
  const all = await program.call(['vm', 'box']);
  expect(all.out).toContain('Usage: host vm box <command> [options]');
  expect((await program.call(['vm', 'box', 'list', '--json', '--bogus'])).out).toContain('"code":"USAGE"');
});

test('registerSpriteCommands() shows the verbs to the host: its help and its completion know them', () => {
  const command = new Command('host');
  const group = registerSpriteCommands(command);
  const names = group.commands.map((each) => each.name());
  for (const name of ['start', 'list', 'exec', 'attach', 'kill', 'fs']) expect(names).toContain(name);
  expect(command.helpInformation()).toContain('sprite');
});
