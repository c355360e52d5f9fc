/** Read, Write, Edit, Glob, Grep and Bash, bound to one place. What a model gives is data: argv or bytes. */
import { setImmediate } from 'node:timers/promises';
import { z } from 'zod';
import { quote } from '../../contract/names.ts';
import { WreckitError } from '../../errors.ts';
import { decodeUtf8 } from '../../process/text.ts';
import { capText } from './cap-text.ts';
import { looksBinary } from './file-text.ts';
import { globMatcher } from './glob.ts';
import { type AgentTool, defineTool } from './tool.ts';
import type { PlaceOutcome, WorkPlace } from './work-place.ts';

const MAX_FILE_BYTES = 16 * 1024 * 1024;
const MAX_READ_CHARS = 60_000;
const DEFAULT_LINES = 2000;
const MAX_OUTPUT_CHARS = 32_768;
const CAPTURE_BYTES = 256 * 1024;
const LIST_BYTES = 8 * 1024 * 1024;
const MAX_PATHS = 500;
const MAX_MATCHES = 500;
const SEARCH_TIMEOUT_MS = 120_000;
const TURN_MS = 20;
const DEFAULT_BASH_SECONDS = 120;
const MAX_BASH_SECONDS = 3600;
/** One word of argv may have 128 KiB. */
const MAX_COMMAND_CHARS = 32_000;

const filePath = z
  .string()
  .min(1)
  .refine((value) => !value.includes('\0'), { error: 'has a NUL character in it' })
  .describe('path of a file; relative ones start at the project');

export function workTools(place: WorkPlace): AgentTool[] {
  return [
    readTool(place),
    writeTool(place),
    editTool(place),
    globTool(place),
    grepTool(place),
    bashTool(place),
  ];
}

function readTool(place: WorkPlace): AgentTool {
  return defineTool({
    name: 'Read',
    description: 'Read a text file. Long ones in parts, with offset and limit.',
    isReadOnly: true,
    input: z.strictObject({
      file_path: filePath,
      offset: z.int().min(1).optional().describe('first line, from 1'),
      limit: z.int().min(1).optional().describe(`lines, ${DEFAULT_LINES} when absent`),
    }),
    async run({ file_path, offset = 1, limit = DEFAULT_LINES }, { signal }) {
      const bytes = await place.read(file_path, { maxBytes: MAX_FILE_BYTES, signal });
      if (looksBinary(bytes)) return { file_path, binary: true, size_bytes: bytes.byteLength };
      const lines = decodeUtf8(bytes).split('\n');
      // What ends with a line break has no further line.
      if (lines.at(-1) === '') lines.pop();
      const shown = capText(lines.slice(offset - 1, offset - 1 + limit).join('\n'), MAX_READ_CHARS);
      return {
        file_path,
        content: shown.text,
        first_line: offset,
        total_lines: lines.length,
        ...(offset - 1 + limit < lines.length ? { next_offset: offset + limit } : {}),
        ...(shown.omitted > 0 ? { truncated: true } : {}),
      };
    },
  });
}

function writeTool(place: WorkPlace): AgentTool {
  return defineTool({
    name: 'Write',
    description: 'Write a file; one that is there is replaced. Directories on the way are made.',
    input: z.strictObject({ file_path: filePath, content: z.string() }),
    async run({ file_path, content }, { signal }) {
      const bytes = Buffer.from(content);
      await place.write(file_path, bytes, { signal });
      return { file_path, written_bytes: bytes.byteLength };
    },
  });
}

function editTool(place: WorkPlace): AgentTool {
  return defineTool({
    name: 'Edit',
    description:
      'Replace a text in a file by another, exactly as given. It must be there once, unless replace_all is set.',
    input: z.strictObject({
      file_path: filePath,
      old_string: z.string().min(1),
      new_string: z.string(),
      replace_all: z.boolean().optional(),
    }),
    async run({ file_path, old_string, new_string, replace_all = false }, { signal }) {
      const content = Buffer.from(await place.read(file_path, { maxBytes: MAX_FILE_BYTES, signal }));
      const { edited, matches } = replaceBytes(content, Buffer.from(old_string), Buffer.from(new_string));
      if (matches === 0) throw notFound(file_path);
      if (matches > 1 && !replace_all) throw ambiguous(file_path, matches);
      await place.write(file_path, edited, { signal });
      return { file_path, matches, replaced: matches };
    },
  });
}

/** On bytes: what is not UTF-8 stays as it is, and nothing in the new text has a meaning of its own. */
function replaceBytes(content: Buffer, from: Buffer, to: Buffer): { edited: Buffer; matches: number } {
  const parts: Buffer[] = [];
  let matches = 0;
  let start = 0;
  for (let at = content.indexOf(from); at >= 0; at = content.indexOf(from, start)) {
    parts.push(content.subarray(start, at), to);
    start = at + from.byteLength;
    matches += 1;
  }
  return { edited: Buffer.concat([...parts, content.subarray(start)]), matches };
}

function globTool(place: WorkPlace): AgentTool {
  return defineTool({
    name: 'Glob',
    description: 'Find files by name, such as "src/**/*.ts". Git directories are left out.',
    isReadOnly: true,
    input: z.strictObject({
      pattern: z.string().min(1).max(1000),
      path: filePath.optional().describe('directory to look in, the project when absent'),
    }),
    async run({ pattern, path = '.' }, { signal }) {
      const matches = globMatcher(pattern);
      await place.assertReachable(path);
      const find = ['find', asOperand(path), '-name', '.git', '-prune', '-o', '!', '-type', 'd', '-print0'];
      const found = await place.exec(find, { timeoutMs: SEARCH_TIMEOUT_MS, maxBytes: LIST_BYTES, signal });
      if (found.stdout.byteLength === 0 && found.exitCode !== 0) throw failed('Glob', found);
      const prefix = path.replace(/\/+$/, '');
      const names = decodeUtf8(found.stdout)
        .split('\0')
        .filter((name) => name !== '')
        .map((name) => name.replace(/^\.\//, ''));
      const fits = (name: string): boolean =>
        matches(name) || (name.startsWith(`${prefix}/`) && matches(name.slice(prefix.length + 1)));
      const hits = (await filtered(names, fits, signal)).sort();
      return {
        files: hits.slice(0, MAX_PATHS),
        total: hits.length,
        ...(hits.length > MAX_PATHS || found.truncatedBytes > 0 ? { truncated: true } : {}),
      };
    },
  });
}

function grepTool(place: WorkPlace): AgentTool {
  return defineTool({
    name: 'Grep',
    description:
      'Search file contents with an extended regular expression (grep -E); lines come back as FILE:LINE:TEXT.',
    isReadOnly: true,
    input: z.strictObject({
      pattern: z
        .string()
        .min(1)
        .max(10_000)
        .refine((value) => !value.includes('\0'), { error: 'has a NUL character in it' }),
      path: filePath.optional().describe('file or directory, the project when absent'),
      glob: z.string().min(1).optional().describe('only files with such a name, such as "*.ts"'),
      ignore_case: z.boolean().optional(),
      fixed: z.boolean().optional().describe('the pattern is plain text'),
    }),
    async run({ pattern, path = '.', glob, ignore_case, fixed }, { signal }) {
      await place.assertReachable(path);
      const argv = [
        ...['grep', '-rnIH', '--exclude-dir=.git', fixed === true ? '-F' : '-E'],
        ...(ignore_case === true ? ['-i'] : []),
        ...(glob === undefined ? [] : [`--include=${glob}`]),
        ...['-e', pattern, '--', path],
      ];
      const found = await place.exec(argv, { timeoutMs: SEARCH_TIMEOUT_MS, maxBytes: LIST_BYTES, signal });
      // 1: nothing matches; 2: a fault, perhaps of one file among many.
      if ((found.exitCode ?? 2) > 1 && found.stdout.byteLength === 0) throw failed('Grep', found);
      const lines = decodeUtf8(found.stdout)
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => line.replace(/^\.\//, ''));
      const shown = capText(lines.slice(0, MAX_MATCHES).join('\n'), MAX_OUTPUT_CHARS);
      const isCut = lines.length > MAX_MATCHES || shown.omitted > 0 || found.truncatedBytes > 0;
      return { matches: shown.text, count: lines.length, ...(isCut ? { truncated: true } : {}) };
    },
  });
}

function bashTool(place: WorkPlace): AgentTool {
  return defineTool({
    name: 'Bash',
    description: `Run a shell command in ${place.label}, in the project's directory.`,
    input: z.strictObject({
      command: z
        .string()
        .min(1)
        .max(MAX_COMMAND_CHARS)
        .refine((value) => !value.includes('\0'), { error: 'has a NUL character in it' }),
      timeout_s: z
        .number()
        .positive()
        .max(MAX_BASH_SECONDS)
        .optional()
        .describe(`${DEFAULT_BASH_SECONDS} when absent`),
      description: z.string().optional().describe('what it is for'),
    }),
    async run({ command, timeout_s = DEFAULT_BASH_SECONDS }, { signal }) {
      const done = await place.exec(['bash', '-c', command], {
        timeoutMs: timeout_s * 1000,
        maxBytes: CAPTURE_BYTES,
        signal,
      });
      const stdout = capText(decodeUtf8(done.stdout), MAX_OUTPUT_CHARS);
      const stderr = capText(decodeUtf8(done.stderr), MAX_OUTPUT_CHARS);
      const omitted = done.truncatedBytes + stdout.omitted + stderr.omitted;
      return {
        exit_code: done.exitCode,
        stdout: stdout.text,
        stderr: stderr.text,
        ...(done.timedOut ? { timed_out: true } : {}),
        ...(omitted > 0 ? { truncated: true, omitted_bytes: omitted } : {}),
      };
    },
  });
}

/** In between, everything else gets its turn: the deadline, an interrupt, other agents. */
async function filtered(
  names: readonly string[],
  fits: (name: string) => boolean,
  signal: AbortSignal,
): Promise<string[]> {
  const hits: string[] = [];
  let turnBeganAt = performance.now();
  for (const name of names) {
    if (fits(name)) hits.push(name);
    if (performance.now() - turnBeganAt < TURN_MS) continue;
    await setImmediate();
    signal.throwIfAborted();
    turnBeganAt = performance.now();
  }
  return hits;
}

/** A path that no program takes for an option. */
function asOperand(path: string): string {
  return path.startsWith('-') ? `./${path}` : path;
}

function failed(tool: string, { stderr, exitCode }: PlaceOutcome): WreckitError {
  const reason = capText(decodeUtf8(stderr).trim(), 500).text;
  return new WreckitError('USAGE', `${tool}: ${reason === '' ? `it ended with exit ${exitCode}` : reason}`, {
    hint: 'check the pattern and the path',
  });
}

function notFound(file: string): WreckitError {
  return new WreckitError('CONFLICT', `edit ${quote(file)}: the text to replace is not in it (0 matches)`, {
    hint: 'read the file again, and give the text exactly as it is there',
    details: { matches: 0 },
  });
}

function ambiguous(file: string, matches: number): WreckitError {
  return new WreckitError('CONFLICT', `edit ${quote(file)}: the text to replace is there ${matches} times`, {
    hint: 'give more of what is around it, or set replace_all',
    details: { matches },
  });
}
