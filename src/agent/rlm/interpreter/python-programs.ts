/**
 * The same two programs as in node-programs.ts, for sprites that have Python and no Node: the same lines, the same
 * division between them. Needs Python 3.8, no packages. Functions of this machine are plain calls that wait.
 */

export const PYTHON_SUPERVISOR = String.raw`
import json, os, selectors, signal, socket, subprocess, sys
events = selectors.DefaultSelector()
state = {'nonce': None, 'max': 0, 'process': None, 'printed': [], 'room': 0, 'omitted': 0}
ours, theirs = socket.socketpair()

def send(message):
    message['nonce'] = state['nonce']
    data = (json.dumps(message) + '\n').encode()
    while data:
        data = data[os.write(1, data):]

def end(code):
    if state['process'] is not None:
        state['process'].kill()
    os._exit(code)

def collect(data):
    text = data.decode('utf-8', 'replace')
    state['printed'].append(text[:state['room']])
    state['omitted'] += max(0, len(text) - state['room'])
    state['room'] = max(0, state['room'] - len(text))

def take_printed():
    # What was printed before the message may still be in the pipe.
    for pipe in (state['process'].stdout, state['process'].stderr):
        while True:
            try:
                data = os.read(pipe.fileno(), 65536)
            except BlockingIOError:
                break
            if not data:
                break
            collect(data)
    taken = {'printed': ''.join(state['printed']), 'printedOmitted': state['omitted']}
    state.update(printed=[], room=state['max'], omitted=0)
    return taken

def begin(hello):
    state.update(nonce=hello['nonce'], max=hello['maxChars'], room=hello['maxChars'])
    number = theirs.fileno()
    command = [sys.executable, '-u', '-c', hello['evaluator'], str(number), str(hello['maxChars'])]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, pass_fds=[number])
    state['process'] = process
    theirs.close()
    for pipe in (process.stdout, process.stderr):
        os.set_blocking(pipe.fileno(), False)
        events.register(pipe, selectors.EVENT_READ, on_printed)
    events.register(ours, selectors.EVENT_READ, on_evaluator)

def on_printed(pipe):
    data = os.read(pipe.fileno(), 65536)
    if data:
        collect(data)
    else:
        events.unregister(pipe)

def lines_of(parts, data):
    found = []
    while True:
        head, newline, data = data.partition(b'\n')
        parts.append(head)
        if not newline:
            return found
        found.append(b''.join(parts))
        parts.clear()

def on_input(fd, parts=[]):
    data = os.read(fd, 1 << 20)
    if not data:
        end(0)
    for line in lines_of(parts, data):
        if state['process'] is None:
            begin(json.loads(line))
        else:
            try:
                ours.sendall(line + b'\n')
            except OSError:
                pass  # its end is told by the other side of the socket

def on_evaluator(channel, parts=[]):
    try:
        data = channel.recv(1 << 20)
    except OSError:
        data = b''
    if not data:
        code = state['process'].wait()
        name = signal.Signals(-code).name if code < 0 else None
        send({'type': 'ended', 'code': code if code >= 0 else None, 'signal': name, 'printed': take_printed()['printed']})
        os._exit(0)
    for line in lines_of(parts, data):
        message = json.loads(line)
        if message['type'] == 'done':
            message.update(take_printed())
        send(message)

signal.signal(signal.SIGTERM, lambda *_: end(143))
events.register(0, selectors.EVENT_READ, on_input)
while True:
    for key, _ in events.select():
        key.data(key.fileobj)
`;

export const PYTHON_EVALUATOR = String.raw`
import ast, builtins, json, os, socket, sys, threading, traceback

def main():
    number, limit = int(sys.argv[1]), int(sys.argv[2])
    sys.argv = ['']
    os.set_inheritable(number, False)
    channel = socket.socket(fileno=number)
    reader = channel.makefile('r', encoding='utf-8', newline='\n')
    texts, scope, calls = {}, {'__name__': '__main__', '__builtins__': builtins}, [0]
    lock = threading.RLock()

    class Capture:
        encoding = 'utf-8'
        def __init__(self):
            self.head, self.tail, self.omitted = '', '', 0
        def write(self, text):
            room = max(0, limit // 2 - len(self.head))
            self.head += text[:room]
            self.tail += text[room:]
            if len(self.tail) > 2 * limit:
                self.cut()
            return len(text)
        def cut(self):
            self.omitted += max(0, len(self.tail) - limit // 2)
            self.tail = self.tail[-(limit // 2):]
        def take(self):
            self.cut()
            mark = '\n[… %d characters left out …]\n' % self.omitted if self.omitted else ''
            output = self.head + mark + self.tail
            self.__init__()
            return output
        def flush(self):
            pass
        def isatty(self):
            return False

    class Record(dict):
        def __getattr__(self, name):
            try:
                return self[name]
            except KeyError:
                raise AttributeError(name) from None

    class AnswerError(Exception):
        pass

    def send(message):
        channel.sendall((json.dumps(message) + '\n').encode())

    def stub(ref, name):
        def function(*args, **named):
            args = list(args) + ([named] if named else [])
            while args and args[-1] is None:
                args.pop()
            with lock:
                calls[0] += 1
                mine = calls[0]
                send({'type': 'call', 'id': mine, 'ref': ref, 'args': args})
                for line in reader:
                    message = json.loads(line, object_hook=Record)
                    if message['type'] != 'answer' or message['id'] != mine:
                        continue
                    if 'error' not in message:
                        return message.get('value')
                    error = AnswerError(message['error']['message'])
                    error.name = message['error']['name']
                    raise error
            os._exit(0)
        function.__name__ = name
        return function

    def decode(value, name):
        if isinstance(value, list):
            return [decode(item, name) for item in value]
        if not isinstance(value, dict):
            return value
        if 'fn' in value:
            return stub(value['fn'], name)
        if 'text' in value:
            return texts[value['text']]
        if 'none' in value:
            return None
        return Record((key, decode(item, key)) for key, item in value['of'].items())

    def shown(value):
        if isinstance(value, str):
            text = value
        else:
            try:
                text = json.dumps(value, indent=1, ensure_ascii=False)
            except (TypeError, ValueError):
                text = repr(value)
        over = len(text) - limit
        return text if over <= 0 else text[:limit] + '\n[… %d characters left out …]' % over

    def error_of(error):
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == '<code>']
        where = ' (line %d)' % lines[-1] if lines else ''
        return {'name': getattr(error, 'name', None) or type(error).__name__, 'message': str(error) + where}

    def run(code):
        tree = ast.parse(code, '<code>')
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, '<code>', 'exec'), scope)
        if last is None:
            return None
        value = eval(compile(ast.Expression(last.value), '<code>', 'eval'), scope)
        return None if value is None else shown(value)

    def describe(name, value):
        types = [(bool, 'boolean'), (str, 'string'), ((int, float), 'number'), ((list, tuple), 'array'), (dict, 'object'), (set, 'set')]
        kind = next((told for type_, told in types if isinstance(value, type_)), 'function' if callable(value) else 'object')
        unit = {'string': 'chars', 'array': 'items', 'set': 'items', 'object': 'keys'}.get(kind)
        size = {'size': '%d %s' % (len(value), unit)} if unit and hasattr(value, '__len__') else {}
        preview = repr(value[:40]) if kind == 'string' else '{%s}' % ', '.join(map(str, list(value)[:4])) if isinstance(value, dict) else repr(value)[:96] if kind in ('number', 'boolean') else '[%s]' % type(value).__name__
        return {'name': name, 'type': kind, **size, 'preview': preview[:96]}

    def inspect(reserved):
        names = sorted(name for name in scope if not name.startswith('_') and name not in reserved)
        return json.dumps({'version': 1, 'entries': [describe(name, scope[name]) for name in names]})

    capture = sys.stdout = sys.stderr = Capture()
    send({'type': 'ready', 'version': sys.version.split()[0]})
    for line in reader:
        message = json.loads(line)
        kind = message['type']
        if kind == 'text':
            texts[message['id']] = message['text']
        elif kind == 'set':
            scope.update((name, decode(value, name)) for name, value in message['globals'].items())
        elif kind in ('run', 'inspect'):
            done = {'type': 'done', 'id': message['id'], 'value': None, 'error': None}
            try:
                done['value'] = run(message['code']) if kind == 'run' else inspect(message['reserved'])
            except BaseException as error:
                done['error'] = error_of(error)
            send({**done, 'output': capture.take()})

main()
`;
