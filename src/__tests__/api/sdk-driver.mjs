/**
 * Runs on Node 24, for Fly's SDK as it is published: every call it has, once. Prints one JSON line per call,
 * `{"name", "value"}` or `{"name", "error"}`; what that should be the test knows.
 *
 *   node sdk-driver.mjs BASE_URL TOKEN_FILE SDK_MODULE SILENT_SECONDS
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { watchCalls } from './sdk-calls.mjs';

const [baseURL, tokenFile, sdkModule, silentSeconds] = process.argv.slice(2);
const { ProxyManager, SpritesClient } = await import(sdkModule);
const uncalled = await watchCalls(sdkModule);
const client = new SpritesClient(readFileSync(tokenFile, 'utf8').trim(), { baseURL });

/** A call that never comes back is a result, too; the silent ones take their time. */
const STEP_TIMEOUT_MS = 40_000;

async function step(name, action, timeoutMs = STEP_TIMEOUT_MS) {
  let line;
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done within ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    line = { name, value: (await Promise.race([action(), late])) ?? null };
  } catch (error) {
    const { message, code, errorCode, statusCode, exitCode, stdout, stderr } = error;
    line = { name, error: { message, code, errorCode, statusCode, exitCode, stdout, stderr } };
  }
  clearTimeout(timer);
  process.stdout.write(`${JSON.stringify(line)}\n`);
  return line.value;
}

function until(check) {
  return new Promise((resolve, reject) => {
    const endAt = Date.now() + 20_000;
    const timer = setInterval(() => {
      if (!check() && Date.now() < endAt) return;
      clearInterval(timer);
      if (check()) resolve();
      else reject(new Error(`never seen: ${check}`));
    }, 10);
  });
}

function outputOf(command) {
  const seen = { text: '', messages: [], errors: [] };
  command.stdout.on('data', (chunk) => {
    seen.text += chunk;
  });
  command.on('message', (message) => seen.messages.push(message));
  command.on('error', (error) => seen.errors.push(error.message));
  return seen;
}

async function all(stream) {
  const items = [];
  for await (const item of stream) items.push(item);
  return items;
}

const LONG_MS = silentSeconds * 1000 + STEP_TIMEOUT_MS;
const sprite = client.sprite('sdk');
await step('create', async () => {
  const { id, name, status, labels, urlSettings, createdAt } = await client.createSprite('sdk', {
    labels: ['x', 'team=web'],
    environment: { GREETING: 'hello' },
    config: { ramMB: 512, cpus: 1 },
    urlSettings: { auth: 'public' },
  });
  return {
    hasId: id !== '',
    name,
    status,
    labels,
    auth: urlSettings.auth,
    isDate: createdAt instanceof Date,
  };
});
const silent = step(
  'silent',
  async () => {
    const startedAt = Date.now();
    const { stdout, exitCode } = await sprite.execFile('sh', ['-c', `sleep ${silentSeconds}; echo awake`]);
    return { stdout, exitCode, isLong: Date.now() - startedAt >= silentSeconds * 1000 };
  },
  LONG_MS,
);
const silentTerminal = step(
  'silent terminal',
  async () => {
    const command = sprite.spawn('sh', ['-c', `sleep ${silentSeconds}; echo awake`], { tty: true });
    const seen = outputOf(command);
    const [code] = await once(command, 'exit');
    return { code, text: seen.text, errors: seen.errors };
  },
  LONG_MS,
);

await step('create again', () => client.createSprite('sdk'));
await step('create badly, in detail', async () => {
  const error = await client.createSprite('No Such Name').catch((thrown) => thrown);
  return [
    error.isRateLimitError(),
    error.isCreationRateLimited(),
    error.isConcurrentLimitExceeded(),
    error.getRetryAfterSeconds() ?? null,
  ];
});
await step('create badly', () => client.createSprite('No Such Name'));
await step('get', async () => (await client.getSprite('sdk')).status);
await step('get missing', () => client.getSprite('nosuch'));
await step('list', async () => {
  const { sprites, running, hasMore, organizationName } = await client.listSprites({
    prefix: 'sdk',
    maxResults: 10,
  });
  return { names: sprites.map(({ name }) => name), running, hasMore, organizationName };
});
await step('list all', async () => (await client.listAllSprites()).map(({ name }) => name));
await step('watch', async () => {
  const stream = await client.watchSprites({ prefix: 'sdk' });
  const events = stream[Symbol.asyncIterator]();
  const first = await events.next();
  await sprite.update({ labels: ['changed'] });
  const second = await events.next();
  stream.close();
  return [first.value.type, second.value.name, second.value.status, second.value.organization.running];
});
await step('update', async () => {
  const { labels, urlSettings } = await sprite.update({ labels: ['y'], urlSettings: { auth: 'sprite' } });
  return { labels, auth: urlSettings.auth };
});
await step('update url', () => sprite.updateURLSettings({ auth: 'public' }));
await step('check', async () => (await sprite.check()).status);
await step('upgrade', () => sprite.upgrade());

await step('exec', async () => (await sprite.exec('echo hello  there')).stdout);
await step('exec file', async () => {
  const script = 'echo "$GREETING $MORE"; pwd; id -un; [ -t 0 ] || echo no terminal';
  return (await sprite.execFile('sh', ['-c', script], { env: { MORE: 'a b' }, cwd: '/tmp' })).stdout;
});
await step('exec failing', () => sprite.execFile('sh', ['-c', 'echo out; echo err >&2; exit 7']));
await step('exec large', async () => {
  const { stdout } = await sprite.execFile('head', ['-c', '9000000', '/dev/zero'], { encoding: 'buffer' });
  return stdout.length;
});
await step('exec http', async () => {
  const { stdout, stderr, exitCode } = await sprite.execFileHTTP('sh', ['-c', 'cat; echo err >&2'], {
    input: 'sent',
  });
  return { stdout, stderr, exitCode };
});
await step('exec http failing', () => sprite.execFileHTTP('sh', ['-c', 'echo out; exit 3']));
await step('spawn with stdin', async () => {
  const command = sprite.spawn('wc', ['-c']);
  const seen = outputOf(command);
  await once(command, 'spawn');
  command.stdin.write(Buffer.alloc(3_000_000));
  command.stdin.end('more');
  const [code] = await once(command, 'exit');
  return [code, seen.text.trim()];
});
await step('spawn and kill', async () => {
  const command = sprite.spawn('sleep', ['1000']);
  await once(command, 'spawn');
  command.kill('SIGTERM');
  return (await once(command, 'exit'))[0];
});
await step('command by hand', async () => {
  const command = sprite.spawn('sh', ['-c', 'trap "exit 9" HUP; echo up; while :; do sleep 0.1; done']);
  const seen = outputOf(command);
  await until(() => seen.text === 'up\n');
  const before = command.exitCode();
  command.signal('HUP');
  const code = await command.wait();
  const { wsCmd } = command;
  return [before, code, command.exitCode(), await wsCmd.wait(), wsCmd.isDone(), wsCmd.isTTY(), seen.errors];
});
await step('terminal with resize', async () => {
  const script = 'stty size; read line; stty size; echo "got $line"; exit 3';
  const command = sprite.spawn('sh', ['-c', script], { tty: true, rows: 30, cols: 100 });
  const seen = outputOf(command);
  await until(() => seen.text.includes('30 100'));
  command.resize(120, 40);
  command.stdin.write('word\n');
  const [code] = await once(command, 'exit');
  return { code, isResized: seen.text.includes('40 120'), got: seen.text.includes('got word') };
});
await step('sessions', async () => {
  const session = sprite.createSession('sh', ['-c', 'echo begin; while read line; do echo "<$line>"; done']);
  const first = outputOf(session);
  await until(() => first.text.includes('begin'));
  const { session_id: id } = first.messages.find(({ type }) => type === 'session_info');
  session.wsCmd.close();
  await once(session, 'exit');
  const listed = (await sprite.listSessions()).find((each) => each.id === id);
  const back = sprite.attachSession(id);
  const second = outputOf(back);
  await once(back, 'spawn');
  await until(() => second.text.includes('begin'));
  back.resize(90, 20);
  back.stdin.write('again\n');
  await until(() => second.text.includes('<again>'));
  const ended = once(back, 'exit');
  const steps = await all(await sprite.killSession(id, 'SIGKILL', '5s'));
  const [code] = await ended;
  const left = (await sprite.listSessions()).filter((each) => each.id === id).length;
  const { tty, isActive, workdir } = listed;
  return {
    tty,
    isActive,
    workdir,
    steps: steps.map(({ type }) => type),
    exitCode: steps.at(-1).exitCode,
    code,
    left,
  };
});
await step('kill in another way', async () => {
  const session = sprite.createSession('sleep', ['1000']);
  const seen = outputOf(session);
  await until(() => seen.messages.length > 0);
  const { session_id: id } = seen.messages.find(({ type }) => type === 'session_info');
  const types = [];
  await (await sprite.killSession(id)).processAll(({ type }) => void types.push(type));
  return types;
});
await step('attach missing', async () => {
  const command = sprite.attachSession('nosuch');
  const seen = outputOf(command);
  await until(() => seen.errors.length > 0);
  return seen.errors.length > 0;
});

const fs = sprite.filesystem('/home/sprite');
await step('files', async () => {
  await fs.writeFile('a/b.txt', 'hello', { mode: 0o600 });
  await fs.appendFile('a/b.txt', ' world');
  await fs.mkdir('dir/sub', { recursive: true });
  await fs.writeJSON('data.json', { a: [1] }, { spaces: 2 });
  const { size, mode, mtime } = await fs.stat('a/b.txt');
  await fs.chmod('a/b.txt', 0o640);
  await fs.rename('a/b.txt', 'a/c.txt');
  await fs.copyFile('a/c.txt', 'a/d.txt', { preserveAttrs: true });
  await fs.copyFile('a', 'copy', { recursive: true });
  await fs.chown('data.json', { uid: 'root', gid: 0, asRoot: true });
  const entries = await fs.readdir('.', { withFileTypes: true });
  return {
    size,
    mode: mode.toString(8),
    isDate: mtime instanceof Date,
    directories: entries.filter((entry) => entry.isDirectory()).map(({ name }) => name),
    found: await fs.readdir('copy', { recursive: true, pattern: '*.txt' }),
    text: await fs.readFile('copy/d.txt', 'utf8'),
    json: await fs.readJSON('data.json'),
    mode2: (await fs.stat('copy/d.txt')).mode.toString(8),
    exists: [await fs.exists('a/c.txt'), await fs.exists('a/b.txt')],
  };
});
await step('file missing', () => fs.readFile('nosuch'));
await step('file in the way', () => fs.rm('copy'));
await step('file removed', async () => {
  await fs.rm('copy', { recursive: true });
  await fs.rm('nosuch', { force: true });
  return await fs.exists('copy/d.txt');
});
await step('file forbidden', () => fs.writeFile('/etc/hostname', 'x'));
await step('file watch', async () => {
  const watcher = await fs.watch('.', { recursive: true });
  const events = watcher[Symbol.asyncIterator]();
  const first = await events.next();
  await fs.writeFile('watched.txt', '12345');
  let event = await events.next();
  while (event.value.path !== '/home/sprite/watched.txt') event = await events.next();
  const wasClosed = watcher.isClosed();
  watcher.close();
  const closed = [wasClosed, watcher.isClosed(), await watcher.next()];
  return [first.value.type, event.value.event, event.value.size, closed];
});

await step('checkpoints', async () => {
  await fs.writeFile('kept.txt', 'before');
  const made = await all(await sprite.createCheckpoint('first'));
  await fs.writeFile('kept.txt', 'after');
  const listed = await sprite.listCheckpoints();
  const { id, comment, createTime } = await sprite.getCheckpoint('v1');
  return {
    last: made.at(-1).type,
    ids: listed.map((each) => each.id),
    id,
    comment,
    isDate: !Number.isNaN(createTime.getTime()),
  };
});
await step('checkpoints in other ways', async () => {
  const types = [];
  await (await sprite.createCheckpoint()).processAll(({ type }) => void types.push(type));
  const stream = await sprite.createCheckpoint('read by hand');
  for (let next = await stream.next(); next !== null; next = await stream.next()) types.push(next.type);
  const left = await sprite.createCheckpoint('left early');
  left.close();
  const ids = (await sprite.listCheckpoints()).map(({ id }) => id);
  return {
    types,
    ids: ids.filter((id) => ['v2', 'v3'].includes(id)),
    history: await sprite.listCheckpoints('v1'),
  };
});
await step('checkpoint missing', () => sprite.getCheckpoint('v99'));

await step('ports and proxy', async () => {
  const watcher = await sprite.watchPorts();
  const events = watcher[Symbol.asyncIterator]();
  const list = (await events.next()).value;
  const program = "require('net').createServer((c) => c.pipe(c)).listen(7100, '127.0.0.1')";
  const server = sprite.spawn('node', ['-e', program]);
  const opened = (await events.next()).value;
  const free = createServer().listen(0, 'localhost');
  await once(free, 'listening');
  const { port } = free.address();
  free.close();
  const [proxy] = await sprite.proxyPorts([{ localPort: port, remotePort: 7100 }]);
  const socket = connect(port, 'localhost');
  let echoed = '';
  socket.on('data', (chunk) => {
    echoed += chunk;
  });
  socket.write('through and back');
  await until(() => echoed === 'through and back');
  socket.destroy();
  const address = proxy.localAddr();
  const manager = new ProxyManager();
  manager.addSession(proxy);
  manager.addSession(await sprite.proxyPort(port + 1, 7100));
  const ended = Promise.all([proxy.wait(), manager.waitAll()]);
  manager.closeAll();
  await ended;
  server.kill('SIGKILL');
  const closed = (await events.next()).value;
  watcher.close();
  return {
    list,
    opened: [opened.type, opened.port, opened.address],
    isAddressed: address.includes(String(port)),
    echoed,
    closed: [closed.type, closed.port],
  };
});

await step('network policy', async () => {
  const { rules } = await sprite.getNetworkPolicy();
  return Array.isArray(rules);
});
await step('network policy set', async () => {
  const rules = [{ domain: 'example.com', action: 'allow' }];
  await sprite.updateNetworkPolicy({ rules });
  return (await sprite.getNetworkPolicy()).rules;
});
await step('privileges policy', () => sprite.getPrivilegesPolicy());
await step('privileges policy set', async () => {
  await sprite.updatePrivilegesPolicy({ profile: 'minimal' });
  return (await sprite.getPrivilegesPolicy()).profile;
});
await step('privileges policy refused', () => sprite.updatePrivilegesPolicy({ profile: 'privileged' }));
await step('privileges policy reset', async () => {
  await sprite.deletePrivilegesPolicy();
  return (await sprite.getPrivilegesPolicy()).profile;
});
await step('resources policy', async () => {
  await sprite.updateResourcesPolicy({ memory: { limitMB: 600 } });
  const set = (await sprite.getResourcesPolicy()).memory;
  await sprite.deleteResourcesPolicy();
  return { set, isReset: (await sprite.getResourcesPolicy()).memory.limitMB > 600 };
});
await step('resources policy refused', () => sprite.updateResourcesPolicy({ memory: { limitMB: 1 } }));
await step('services', async () => {
  const config = { cmd: 'sh', args: ['-c', 'echo serving; exec sleep 1000'], needs: [], env: { A: '1' } };
  const events = await all(await sprite.createService('web', config, '2s'));
  const { name, cmd, args, state } = await sprite.getService('web');
  const listed = (await sprite.listServices()).map((service) => service.name);
  const logs = await all(await sprite.getServiceLogs('web', { lines: 10 }));
  const again = await sprite.getServiceLogs('web', { lines: 10 });
  const first = (await again.next())?.type;
  again.close();
  await sprite.signalService('web', 'HUP');
  const stopped = [];
  await (await sprite.stopService('web', '5s')).processAll((event) => void stopped.push(event));
  const started = await all(await sprite.startService('web', '1s'));
  const restarted = await all(await sprite.restartService('web', '1s'));
  await sprite.deleteService('web');
  const types = (each) => [...new Set(each.map(({ type }) => type))];
  return {
    created: types(events),
    service: { name, cmd, args, status: state.status },
    listed,
    first,
    printed: logs.filter(({ type }) => type === 'stdout').map(({ data }) => data.trim()),
    stopped: types(stopped),
    started: types(started),
    restarted: types(restarted),
    left: (await sprite.listServices()).length,
  };
});
await step('control mode', async () => {
  const controlled = new SpritesClient(readFileSync(tokenFile, 'utf8').trim(), {
    baseURL,
    controlMode: true,
  });
  const same = controlled.sprite('sdk');
  const refusal = await same.getControlConnection().catch(() => 'refused');
  same.closeControlConnection();
  const { stdout } = await same.execFile('echo', ['direct after all']);
  return [same.useControlMode(), refusal, same.hasControlConnection(), stdout];
});
await step('wrong token', () => new SpritesClient('wrong', { baseURL }).getSprite('sdk'));

// What ends all sessions comes after those that are long.
await Promise.all([silent, silentTerminal]);
await step('restore', async () => {
  const messages = await all(await sprite.restoreCheckpoint('v1'));
  return [messages.at(-1).type, await fs.readFile('kept.txt', 'utf8')];
});
await step('restore in other ways', async () => {
  const types = [];
  await (await sprite.restoreCheckpoint('v2')).processAll(({ type }) => void types.push(type));
  const stream = await sprite.restoreCheckpoint('v1');
  types.push((await stream.next()).type);
  stream.close();
  return types;
});
await step('restart', async () => (await sprite.restart()).spriteName);
await step('delete', () => sprite.destroy());
await step('get deleted', () => client.getSprite('sdk'));
await step('delete another', async () => {
  await (await client.createSprite('another')).delete();
  return (await client.listAllSprites('another')).length;
});
await step('uncalled', () => uncalled());
process.exit();
