/**
 * The two programs that run the model's JavaScript inside a sprite, as text: nothing of wreckit is installed there.
 *
 *   this machine ─ JSON lines ─▶ supervisor ─ IPC ─▶ evaluator (the model's code, its variables)
 *                 ◀─ stdout ───             ◀─ IPC ─    │ stdout, stderr: pipes of the supervisor
 *
 * Only the supervisor has the stdout that this machine reads, and only it knows the nonce each line must carry:
 * what the code prints, or a program it starts prints, is output and never a message. The evaluator lives as long
 * as the supervisor: the end of its stdin or SIGTERM ends both. Lines: see wire.ts. Needs Node 18, no packages.
 */

export const NODE_SUPERVISOR = String.raw`'use strict';
const { spawn } = require('node:child_process');
let nonce = null;
let evaluator = null;
let printed = '';
let printedOmitted = 0;
let maxChars = 0;
const send = (message, then) => process.stdout.write(JSON.stringify({ ...message, nonce }) + '\n', then);
const end = (code) => {
  if (evaluator !== null) evaluator.kill('SIGKILL');
  process.exit(code);
};
const collect = (text) => {
  const room = Math.max(0, maxChars - printed.length);
  printed += text.slice(0, room);
  printedOmitted += Math.max(0, text.length - room);
};
const takePrinted = () => {
  const taken = { printed, printedOmitted };
  printed = '';
  printedOmitted = 0;
  return taken;
};
const begin = (hello) => {
  nonce = hello.nonce;
  maxChars = hello.maxChars;
  const stdio = ['ignore', 'pipe', 'pipe', 'ipc'];
  evaluator = spawn(process.execPath, ['-e', hello.evaluator], { stdio, serialization: 'advanced' });
  evaluator.stdout.setEncoding('utf8').on('data', collect);
  evaluator.stderr.setEncoding('utf8').on('data', collect);
  evaluator.on('message', (message) => {
    // What was printed before the message may still be in the pipe.
    if (message.type === 'done') setImmediate(() => setImmediate(() => send({ ...message, ...takePrinted() })));
    else send(message);
  });
  evaluator.on('error', (error) => send({ type: 'ended', code: null, signal: null, printed: String(error) }, () => process.exit(1)));
  evaluator.on('close', (code, signal) => send({ type: 'ended', code, signal, printed: takePrinted().printed }, () => process.exit(0)));
  evaluator.send({ type: 'begin', maxChars });
};
let parts = [];
process.stdin.on('data', (chunk) => {
  let start = 0;
  for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, start)) {
    parts.push(chunk.subarray(start, at));
    const message = JSON.parse(Buffer.concat(parts).toString('utf8'));
    parts = [];
    start = at + 1;
    if (evaluator === null) begin(message);
    else if (evaluator.connected) evaluator.send(message, () => {});
  }
  parts.push(chunk.subarray(start));
});
process.stdin.on('end', () => end(0));
process.on('SIGTERM', () => end(143));
process.stdout.on('error', () => end(1));
`;

export const NODE_EVALUATOR = String.raw`'use strict';
(() => {
  const inspector = require('node:inspector');
  const send = process.send.bind(process);
  const texts = new Map();
  const calls = new Map();
  let lastCall = 0;
  let maxChars = 0;
  let head = '';
  let tail = '';
  let omitted = 0;

  const capture = (chunk) => {
    let text = typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8');
    const half = maxChars / 2;
    const room = Math.max(0, half - head.length);
    head += text.slice(0, room);
    text = text.slice(room);
    tail += text;
    // Cut seldom: cutting at every write would copy the tail each time.
    if (tail.length > 2 * maxChars) {
      omitted += tail.length - half;
      tail = tail.slice(-half);
    }
  };
  const takeOutput = () => {
    const half = maxChars / 2;
    if (tail.length > half) {
      omitted += tail.length - half;
      tail = tail.slice(-half);
    }
    const mark = omitted === 0 ? '' : '\n[… ' + omitted + ' characters left out …]\n';
    const output = head + mark + tail;
    head = '';
    tail = '';
    omitted = 0;
    return output;
  };
  for (const stream of [process.stdout, process.stderr])
    stream.write = (chunk, encoding, callback) => {
      capture(chunk);
      const done = typeof encoding === 'function' ? encoding : callback;
      if (done) process.nextTick(done);
      return true;
    };
  // A promise nobody waited for, an error in a timer: the model is told, and its variables stay.
  process.on('unhandledRejection', (reason) => {
    if (!reason || reason.isAnswer !== true) capture('[unhandled rejection] ' + String(reason) + '\n');
  });
  process.on('uncaughtException', (error) => capture('[uncaught] ' + String(error) + '\n'));
  process.on('disconnect', () => process.exit(0));

  const session = new inspector.Session();
  session.connect();
  const post = (method, params) =>
    new Promise((resolve, reject) => session.post(method, params, (error, result) => (error ? reject(new Error(error.message)) : resolve(result))));

  const stubOf = (ref, name) => {
    const stub = (...args) =>
      new Promise((resolve, reject) => {
        while (args.length > 0 && args[args.length - 1] === undefined) args.pop();
        const plain = JSON.parse(JSON.stringify(args));
        lastCall += 1;
        calls.set(lastCall, { resolve, reject });
        send({ type: 'call', id: lastCall, ref, args: plain });
      });
    Object.defineProperty(stub, 'name', { value: name });
    return stub;
  };
  const decode = (value, name) => {
    if (typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) return value.map((item) => decode(item, name));
    if ('fn' in value) return stubOf(value.fn, name);
    if ('text' in value) return texts.get(value.text);
    if ('none' in value) return undefined;
    return Object.fromEntries(Object.entries(value.of).map(([key, item]) => [key, decode(item, key)]));
  };

  // Its source runs with the value as its this.
  const render = function () {
    try {
      const text = JSON.stringify(this, null, 1);
      if (text !== undefined) return text;
    } catch {}
    return require('node:util').inspect(this, { depth: 3 });
  };
  const textOf = async (result) => {
    if (result.type === 'undefined') return null;
    if (result.objectId === undefined) return result.type === 'string' ? result.value : result.unserializableValue || String(result.value);
    const functionDeclaration = String(render);
    const shown = await post('Runtime.callFunctionOn', { objectId: result.objectId, functionDeclaration, returnByValue: true });
    return shown.result.type === 'string' ? shown.result.value : String(result.description);
  };
  const errorOf = ({ text, exception }) => {
    if (exception === undefined) return { name: 'Error', message: text };
    if (exception.subtype !== 'error') return { name: 'Error', message: exception.description || String(exception.value) };
    const said = String(exception.description).split('\n    at ')[0];
    const parts = /^([A-Za-z_$][\w$]*): ([^]*)$/.exec(said);
    return parts === null ? { name: exception.className || 'Error', message: said } : { name: parts[1], message: parts[2] };
  };
  const run = async ({ id, code }) => {
    const done = { type: 'done', id, value: null, error: null };
    try {
      const { result, exceptionDetails } = await post('Runtime.evaluate', { expression: code, replMode: true, awaitPromise: true });
      if (exceptionDetails === undefined) done.value = await textOf(result);
      else done.error = errorOf(exceptionDetails);
      post('Runtime.releaseObjectGroup', { objectGroup: '' }).catch(() => {});
    } catch (error) {
      done.error = { name: 'Error', message: error.message };
    }
    if (done.value !== null && done.value.length > maxChars) done.value = done.value.slice(0, maxChars) + '\n[… ' + (done.value.length - maxChars) + ' characters left out …]';
    send({ ...done, output: takeOutput() });
  };

  // Its source is evaluated where the variables are seen.
  const describe = (get) => {
    try {
      const value = get();
      if (value === null) return { type: 'null' };
      const kinds = [[Array, 'array'], [Map, 'map'], [Set, 'set'], [Date, 'date'], [Error, 'error']];
      const [, type] = kinds.find(([kind]) => value instanceof kind) || [null, typeof value];
      const cut = (text) => (text.length > 96 ? text.slice(0, 93) + '...' : text);
      const counts = { string: () => value.length + ' chars', array: () => value.length + ' items', map: () => value.size + ' items', set: () => value.size + ' items', object: () => Object.keys(value).length + ' keys' };
      const previews = {
        string: () => JSON.stringify(value.slice(0, 40)),
        array: () => '[array(' + value.length + ')]',
        object: () => '{' + Object.keys(value).slice(0, 4).join(', ') + '}',
        function: () => '[function ' + value.name + ']',
      };
      const size = counts[type] === undefined ? {} : { size: counts[type]() };
      return { type, ...size, preview: cut((previews[type] || (() => String(value)))()) };
    } catch {
      return { type: 'unknown', preview: '[unavailable]' };
    }
  };
  let baseline = new Set();
  const inspectGlobals = async ({ id, reserved }) => {
    const skip = new Set([...baseline, ...reserved]);
    const { names: lexical } = await post('Runtime.globalLexicalScopeNames', {});
    const names = [...new Set([...Object.getOwnPropertyNames(globalThis), ...lexical])]
      .filter((name) => /^[A-Za-z$][\w$]*$/.test(name) && !skip.has(name))
      .sort();
    const expression = '((describe) => [' + names.map((name) => 'describe(() => ' + name + ')').join(',') + '])(' + String(describe) + ')';
    const { result } = await post('Runtime.evaluate', { expression, returnByValue: true });
    const entries = names.map((name, index) => ({ name, ...result.value[index] }));
    return { type: 'done', id, value: JSON.stringify({ version: 1, entries }), error: null, output: '' };
  };

  const HANDLERS = {
    begin(message) {
      maxChars = message.maxChars;
      baseline = new Set(Object.getOwnPropertyNames(globalThis));
      send({ type: 'ready', version: process.version });
    },
    text: ({ id, text }) => void texts.set(id, text),
    set({ globals }) {
      for (const [name, value] of Object.entries(globals)) globalThis[name] = decode(value, name);
    },
    run: (message) => void run(message),
    inspect: (message) =>
      void inspectGlobals(message).then(send, (error) => send({ type: 'done', id: message.id, value: null, error: { name: 'Error', message: error.message }, output: '' })),
    answer({ id, value, error }) {
      const call = calls.get(id);
      calls.delete(id);
      if (call === undefined) return;
      if (error === undefined) return call.resolve(value);
      const thrown = new Error(error.message);
      Object.defineProperty(thrown, 'name', { value: error.name, configurable: true });
      // Told where it is awaited; nobody has to wait for final().
      Object.defineProperty(thrown, 'isAnswer', { value: true });
      call.reject(thrown);
    },
  };
  process.on('message', (message) => HANDLERS[message.type](message));
})();
`;
