/**
 * Runs on Node 24, for Fly's SDK as it is published: every call it has, once. Prints one JSON line per call,
 * `{"name", "value"}` or `{"name", "error"}`; what that should be the test knows.
 *
 *   node sdk-driver.mjs BASE_URL TOKEN_FILE SDK_MODULE SILENT_SECONDS
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';

const [baseURL, tokenFile, sdkModule, silentSeconds] = process.argv.slice(2);
const { SpritesClient } = await import(sdkModule);
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
  watcher.close();
  return [first.value.type, event.value.event, event.value.size];
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
  proxy.close();
  server.kill('SIGKILL');
  const closed = (await events.next()).value;
  watcher.close();
  return {
    list,
    opened: [opened.type, opened.port, opened.address],
    echoed,
    closed: [closed.type, closed.port],
  };
});

await step('network policy', async () => {
  const { rules } = await sprite.getNetworkPolicy();
  return Array.isArray(rules);
});
await step('privileges policy', () => sprite.getPrivilegesPolicy());
await step('resources policy', () => sprite.getResourcesPolicy());
await step('services', async () => {
  const config = { cmd: 'sh', args: ['-c', 'echo serving; exec sleep 1000'], needs: [], env: { A: '1' } };
  const events = await all(await sprite.createService('web', config, '2s'));
  const { name, cmd, args, state } = await sprite.getService('web');
  const listed = (await sprite.listServices()).map((service) => service.name);
  const logs = await all(await sprite.getServiceLogs('web', { lines: 10 }));
  await sprite.signalService('web', 'HUP');
  const stopped = await all(await sprite.stopService('web', '5s'));
  const started = await all(await sprite.startService('web', '1s'));
  const restarted = await all(await sprite.restartService('web', '1s'));
  await sprite.deleteService('web');
  const types = (each) => [...new Set(each.map(({ type }) => type))];
  return {
    created: types(events),
    service: { name, cmd, args, status: state.status },
    listed,
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
  return (await controlled.sprite('sdk').execFile('echo', ['direct after all'])).stdout;
});
await step('wrong token', () => new SpritesClient('wrong', { baseURL }).getSprite('sdk'));

// What ends all sessions comes after those that are long.
await Promise.all([silent, silentTerminal]);
await step('restore', async () => {
  const messages = await all(await sprite.restoreCheckpoint('v1'));
  return [messages.at(-1).type, await fs.readFile('kept.txt', 'utf8')];
});
await step('restart', async () => (await sprite.restart()).spriteName);
await step('delete', () => sprite.destroy());
await step('get deleted', () => client.getSprite('sdk'));
process.exit();
