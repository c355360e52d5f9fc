import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { findSession, openSession } from '../../../engine/local/sessions/index.ts';
import { type BareContainer, bareContainer } from '../../helpers/bare-container.ts';
import { eventually } from '../../helpers/eventually.ts';
import { collect, commandOf, readUntil, runInSession } from './session-helpers.ts';

let sprite: BareContainer;
beforeAll(async () => {
  sprite = await bareContainer();
});
afterAll(() => sprite[Symbol.asyncDispose]());

describe('stdin', () => {
  test('is empty unless it is asked for', async () => {
    expect(await runInSession(sprite, ['cat'])).toMatchObject({ exitCode: 0, stdout: Buffer.of() });
    await using session = await openSession(sprite, { command: ['sleep', '60'] });
    expect(await session.write(Buffer.from('x'))).toBe(false);
  });

  test('carries bytes as they are, and its end', async () => {
    await using session = await openSession(sprite, { command: ['cat'], stdin: true });
    const bytes = Buffer.from([0, 255, 10, 0xc3, 4, 26, 13]);
    expect(await session.write(bytes)).toBe(true);
    await session.closeStdin();
    expect((await collect(session, { follow: true })).stdout).toEqual(bytes);
    expect(await session.write(bytes)).toBe(false);
  });

  test('carries what a pipe does not hold to a quick reader, also when it is closed at once', async () => {
    const bytes = Buffer.alloc(200_000, 'x');
    for (let round = 0; round < 12; round += 1) {
      await using session = await openSession(sprite, { command: commandOf('wc -c'), stdin: true });
      await session.write(bytes);
      await session.closeStdin();
      const { stdout } = await collect(session, { follow: true });
      expect(Number(stdout.toString())).toBe(bytes.length);
    }
  });

  test('carries much more than a pipe holds, at the pace of who reads', async () => {
    await using session = await openSession(sprite, {
      command: commandOf('sleep 0.3; sha256sum'),
      stdin: true,
    });
    const chunk = Buffer.alloc(300_000);
    const hash = createHash('sha256');
    for (let count = 0; count < 200; count += 1) {
      chunk.fill(count);
      hash.update(chunk);
      expect(await session.write(chunk)).toBe(true);
    }
    await session.closeStdin();
    const { stdout } = await collect(session, { follow: true });
    expect(stdout.toString()).toBe(`${hash.digest('hex')}  -\n`);
  }, 20_000);

  test('says when nobody reads any more, and harms nobody', async () => {
    await using session = await openSession(sprite, { command: ['head', '-c', '3'], stdin: true });
    const chunk = Buffer.alloc(1_000_000, 'a');
    await eventually(async () => !(await session.write(chunk)));
    expect(await session.exit()).toMatchObject({ exitCode: 0 });
    expect((await collect(session, {})).stdout.toString()).toBe('aaa');
    expect(await session.write(chunk)).toBe(false);
    await session.closeStdin();
  });

  test('does not hold up a client that lets go while nobody reads', async () => {
    const session = await openSession(sprite, { command: ['sleep', '2'], stdin: true });
    const writing = session.write(Buffer.alloc(1_000_000));
    await session[Symbol.asyncDispose]();
    expect(await session.exit()).toMatchObject({ exitCode: 0 });
    expect(await writing).toBe(false);
  });

  test('ends when the client that opened the session dies', async () => {
    const index = `${import.meta.dirname}/../../../engine/local/sessions/index.ts`;
    const plain = Object.fromEntries(
      Object.entries(sprite).filter(([, value]) => typeof value !== 'function'),
    );
    const program = `
      import { openSession } from ${JSON.stringify(index)};
      const session = await openSession(${JSON.stringify(plain)}, { command: ['cat'], stdin: true });
      await session.write(Buffer.from('last words'));
      process.stdout.write(session.id);
      await new Promise((resolve) => setTimeout(resolve, 60_000));`;
    const client = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [id] = await once(client.stdout, 'data');
    client.kill('SIGKILL');
    const session = findSession(sprite.dir, String(id), sprite);
    expect((await collect(session, { follow: true })).stdout.toString()).toBe('last words');
    expect(await session.exit()).toMatchObject({ exitCode: 0 });
  });

  test('can be written to by another client', async () => {
    await using session = await openSession(sprite, {
      command: commandOf('read a; echo $a; read b; echo $b'),
      stdin: true,
    });
    await using other = findSession(sprite.dir, session.id, sprite);
    await session.write(Buffer.from('one\n'));
    await readUntil(session, (text) => text === 'one\n');
    expect(await other.write(Buffer.from('two\n'))).toBe(true);
    expect((await collect(session, { follow: true })).stdout.toString()).toBe('one\ntwo\n');
    expect(await other.write(Buffer.from('three\n'))).toBe(false);
  });
});
