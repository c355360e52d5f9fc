/** Small helpers of the scripts: talk on stderr, programs run with the terminal, where they are found. */
import { spawn, spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Ends a script with a message for people and an exit code of docs/wisp-contract.md. */
export class ScriptError extends Error {
  constructor(message, hint, exitCode = 1) {
    super(message);
    this.hint = hint;
    this.exitCode = exitCode;
  }
}

export function say(text) {
  process.stderr.write(`${text}\n`);
}

/** Path of a program, also where an ordinary user's PATH does not look (`/usr/sbin`), or null. */
export function findProgram(name) {
  for (const dir of [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin', '/usr/local/sbin']) {
    if (dir === '') continue;
    const path = join(dir, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not there: the next directory.
    }
  }
  return null;
}

/** Exit status and output of a program that ends quickly. */
export function ask(command, args, options = {}) {
  const result = spawnSync(command, args, { encoding: 'utf8', timeout: 30_000, ...options });
  return { status: result.status ?? 1, stdout: result.stdout ?? '', stderr: result.stderr ?? '' };
}

/**
 * Runs a program with this script's stdout and stderr (`onOutput`: gets the text of both instead). Returns
 * its exit status; 128+n for a signal. Past `timeoutMs` its whole process group is ended.
 */
export function run(command, args, { timeoutMs, onOutput, ...options } = {}) {
  return new Promise((resolve) => {
    const stdio = onOutput ? ['ignore', 'pipe', 'pipe'] : ['ignore', 'inherit', 'inherit'];
    const child = spawn(command, args, { stdio, detached: timeoutMs !== undefined, ...options });
    const timers = [];
    const stop = (signal) => {
      try {
        process.kill(-child.pid, signal);
      } catch (error) {
        if (error.code !== 'ESRCH') throw error;
      }
    };
    if (timeoutMs !== undefined) {
      timers.push(
        setTimeout(() => stop('SIGTERM'), timeoutMs),
        setTimeout(() => stop('SIGKILL'), timeoutMs + 10_000),
      );
      // Its own process group does not get the terminal's Ctrl+C.
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => stop(signal));
    }
    child.stdout?.setEncoding('utf8').on('data', onOutput);
    child.stderr?.setEncoding('utf8').on('data', onOutput);
    const finish = (status) => {
      for (const timer of timers) clearTimeout(timer);
      resolve(status);
    };
    child.on('error', () => finish(127));
    child.on('close', (code, signal) => finish(code ?? (signal ? 137 : 1)));
  });
}

/** Runs `main`; a failure is printed with its hint and becomes the exit code. */
export async function script(name, main) {
  try {
    await main();
  } catch (error) {
    say(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    if (error?.hint) say(`hint: ${error.hint}`);
    process.exitCode = error?.exitCode ?? 1;
  }
}
