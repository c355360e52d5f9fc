import { shellText } from './shell-text.ts';

/**
 * What runs inside as the first processes of a session. The runtime starts a shell, which starts another one,
 * the wrapper, and is killed by it: so the wrapper's parent is the sprite's PID 1, which reaps it, whatever the
 * host's does. Its descriptors: 3 to the supervisor, 4 and 5 the command's output, 6 its input.
 *
 * The wrapper starts the command, outlives it, and tells the supervisor that it is there ("begun") and how the
 * command ended ("exit N"). Signals meant for the group don't end it. Its own standard error goes to the
 * supervisor, too: shells say there which signal ended a command.
 */
function wrapper(runCommand: string): string {
  return `
# A shell that can't fork ends at once.
trap 'echo begun >&3; ${SAY_FULL}' 0
(
trap : 1 2 3 6 10 12 13 14 15 24 25 26 27 29 30 31
exec 0<&6 1>&4 4>&5 2>&3 5>&- 6<&-
kill -s KILL "$$"
trap 'exec 5>&4; ${SAY_FULL}' 0
${runCommand}
status=$?
trap - 0
echo "exit $status" >&3
)`;
}

const SAY_FULL = 'echo "wisp: the sprite can start no more processes" >&5; echo "exit 126" >&3';

/** The command gets no descriptor but its own three. `exec` runs programs, never a shell's builtin. */
const RUN_COMMAND = shellText`
echo begun >&3
(
  exec 2>&4 3>&- 4>&-
  case $1 in -*) echo "wisp: $1: not found" >&2; exit 127 ;; esac
  exec "$@"
)
`;

/** As RUN_COMMAND; what has begun is named by its number inside. */
const RUN_SERVICE = shellText`
(
  read -r own rest </proc/self/stat
  echo "begun $own" >&3
  exec 2>&4 3>&- 4>&-
  case $1 in -*) echo "wisp: $1: not found" >&2; exit 127 ;; esac
  exec "$@"
)
`;

/** It has begun when its terminal is there and has its size. */
const RUN_ON_TERMINAL = shellText`
(
  exec 2>&4 4>&-
  if ! command -v script >/dev/null; then
    echo 'wisp: a terminal takes the program "script" (util-linux), which this sprite lacks' >&2
    exit 127
  fi
  export SHELL=/bin/sh
  exec script -qefc "$1" /dev/null
)
`;

/** argv that runs `command` without a terminal. */
export function plainWrapper(command: readonly string[]): string[] {
  return ['/bin/sh', '-c', wrapper(RUN_COMMAND), 'wisp', ...command];
}

/** argv that runs the command of a service. */
export function serviceWrapper(command: readonly string[]): string[] {
  return ['/bin/sh', '-c', wrapper(RUN_SERVICE), 'wisp', ...command];
}

export interface TerminalCommand {
  readonly command: readonly string[];
  readonly cols: number;
  readonly rows: number;
  /** The SHELL of the command's environment; `script` has one of its own. */
  readonly shell: string | undefined;
}

/** argv that runs a command on a new terminal, held by util-linux `script`. */
export function terminalWrapper({ command, cols, rows, shell }: TerminalCommand): string[] {
  const [program = ''] = command;
  const line = [
    `stty rows ${rows} cols ${cols} echo iutf8 2>/dev/null`,
    'echo begun >&3',
    'exec 3>&-',
    shell === undefined ? 'unset SHELL' : `SHELL=${quoteWord(shell)}`,
    program.startsWith('-')
      ? `echo ${quoteWord(`wisp: ${program}: not found`)} >&2; exit 127`
      : `exec ${command.map(quoteWord).join(' ')}`,
  ].join('; ');
  return ['/bin/sh', '-c', wrapper(RUN_ON_TERMINAL), 'wisp', line];
}

/** One word of a POSIX shell's command line, whatever characters it has. */
function quoteWord(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
