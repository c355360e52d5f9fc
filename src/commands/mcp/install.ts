import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { quote } from '../../contract/names.ts';
import { WreckitError } from '../../errors.ts';
import { userHome } from '../../process/user-home.ts';
import { configOf } from '../context.ts';
import type { WreckitVerb } from '../globals.ts';
import { writeFileAtomic } from '../init/write-file.ts';
import { oneOf } from '../sprite/flags.ts';

const CLIENTS = ['claude', 'codex', 'opencode'] as const;
type Client = (typeof CLIENTS)[number];

type Options = { readonly write?: boolean };

/** What a client is told to start. */
const COMMAND = 'wreckit';
const ARGS = ['mcp'];

interface Target {
  readonly file: string;
  /** What the file is to say beside what it says already. */
  readonly snippet: string;
  /** The whole file; null: it says so already. Throws `CONFLICT`, `CONFIG_INVALID`. */
  merged(present: string): Promise<string | null>;
}

export const verb: WreckitVerb<Options, [client: Client]> = {
  define: (command) =>
    command
      .argument('<client>', 'Client: claude, codex or opencode', oneOf(...CLIENTS))
      .option('--write', "Write it to the client's file instead of printing it"),
  examples: [
    ['wreckit mcp install claude', "Print what belongs in the project's .mcp.json"],
    ['wreckit mcp install codex --write', 'Add the server to the configuration of Codex'],
  ],
  async run(context) {
    const { args, io, options, globals } = context;
    const { projectRoot } = await configOf(context);
    const { file, snippet, merged } = targetOf(args[0], projectRoot, io.env);
    const data = { client: args[0], file, snippet };
    if (options.write !== true) return { data, text: `# ${file}\n${snippet.trimEnd()}` };
    const content = await merged(existsSync(file) ? readFileSync(file, 'utf8') : '');
    const isWritten = content !== null && globals.dryRun !== true;
    if (isWritten) {
      mkdirSync(dirname(file), { recursive: true });
      writeFileAtomic(file, content);
    }
    const told =
      content === null ? `${file}: has it already` : `${isWritten ? 'wrote' : 'would write'} ${file}`;
    return { data: { ...data, written: isWritten }, text: told };
  },
};

function targetOf(client: Client, root: string, env: Readonly<Record<string, string | undefined>>): Target {
  switch (client) {
    case 'claude':
      return jsonTarget(join(root, '.mcp.json'), ['mcpServers', 'wreckit'], { command: COMMAND, args: ARGS });
    case 'opencode':
      return jsonTarget(join(root, 'opencode.json'), ['mcp', 'wreckit'], {
        type: 'local',
        command: [COMMAND, ...ARGS],
        enabled: true,
      });
    case 'codex':
      return codexTarget(join(codexHome(env), 'config.toml'));
  }
}

function codexHome(env: Readonly<Record<string, string | undefined>>): string {
  if (env.CODEX_HOME) return env.CODEX_HOME;
  const home = userHome(env);
  if (home !== null) return join(home, '.codex');
  throw new WreckitError('CONFIG_INVALID', 'configuration of Codex: this user has no home directory', {
    hint: 'set CODEX_HOME to the directory of its config.toml',
  });
}

function jsonTarget(file: string, path: readonly [string, string], value: object): Target {
  return {
    file,
    snippet: `${JSON.stringify({ [path[0]]: { [path[1]]: value } }, null, 2)}\n`,
    async merged(present) {
      const { applyEdits, modify, parse } = await import('jsonc-parser');
      const text = present.trim() === '' ? '{}' : present;
      const errors: { error: number; offset: number; length: number }[] = [];
      const document: unknown = parse(text, errors, { allowTrailingComma: true });
      if (errors.length > 0 || typeof document !== 'object' || document === null || Array.isArray(document)) {
        throw new WreckitError('CONFIG_INVALID', `${file}: it is not a JSON object`, {
          hint: 'mend the file, or add what wreckit mcp install prints by hand',
        });
      }
      const section: unknown = (document as Record<string, unknown>)[path[0]];
      const before: unknown =
        typeof section === 'object' && section !== null
          ? (section as Record<string, unknown>)[path[1]]
          : undefined;
      if (JSON.stringify(before) === JSON.stringify(value)) return null;
      if (before !== undefined) throw otherEntry(file, path.join('.'));
      const formattingOptions = { tabSize: 2, insertSpaces: true };
      const edited = applyEdits(text, modify(text, [...path], value, { formattingOptions }));
      return edited.endsWith('\n') ? edited : `${edited}\n`;
    },
  };
}

function codexTarget(file: string): Target {
  const args = ARGS.map((word) => JSON.stringify(word)).join(', ');
  const snippet = `[mcp_servers.wreckit]\ncommand = ${JSON.stringify(COMMAND)}\nargs = [${args}]\n`;
  return {
    file,
    snippet,
    async merged(present) {
      if (present.includes(snippet)) return null;
      if (/^\s*\[\s*mcp_servers\s*\.\s*"?wreckit"?\s*\]/m.test(present))
        throw otherEntry(file, 'mcp_servers.wreckit');
      const gap = present === '' ? '' : present.endsWith('\n') ? '\n' : '\n\n';
      return `${present}${gap}${snippet}`;
    },
  };
}

function otherEntry(file: string, entry: string): WreckitError {
  return new WreckitError('CONFLICT', `${file}: it has another ${quote(entry)} already`, {
    hint: 'remove that entry, or change it by hand: wreckit mcp install prints what it should be',
  });
}
