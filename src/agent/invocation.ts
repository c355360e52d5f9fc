/** A run of an agent as one command: the same whether it is executed on this machine or inside a sprite. */
import { quote } from '../contract/names.ts';
import { WreckitError } from '../errors.ts';
import type { AgentKind } from '../schemas.ts';
import type { AgentEvent, AgentOutcome, AgentUsage } from './agent-events.ts';
import type { AgentRunOptions } from './agent-options.ts';

export interface AgentInvocation {
  readonly kind: AgentKind;
  /** May hold `FILES_DIR`; never a secret, never the prompt (but where the user's own args say so). */
  readonly argv: readonly string[];
  /** Settings and credentials; what the place itself has (PATH, HOME) is not in here. Values may hold `FILES_DIR`. */
  readonly env: Readonly<Record<string, string>>;
  readonly stdin: Uint8Array | null;
  readonly files: Readonly<Record<string, string>>;
  /** A reader of what the program writes to stdout. */
  readonly openStream: () => AgentStream;
  /** What to do when the program isn't there. */
  readonly installHint: string;
}

/** Makes events of an agent's stdout and remembers what it concluded. */
export interface AgentStream {
  push(chunk: Uint8Array): AgentEvent[];
  /** The output is over: what was left unfinished. */
  end(): AgentEvent[];
  conclusion(): StreamConclusion;
}

export interface StreamConclusion {
  /** What the agent's own result says; null: it gave none. */
  readonly verdict: Extract<AgentOutcome, 'completed' | 'failed' | 'needs_input' | 'limit_reached'> | null;
  /** True: this program always ends with a result, so an end without one is a failure. */
  readonly isStructured: boolean;
  /** The completion signal was among the agent's own words; null: none was asked for. */
  readonly signalSeen: boolean | null;
  readonly text: string;
  /** Why it failed, as far as the agent knows. */
  readonly message: string | null;
  readonly question: string | null;
  readonly sessionId: string | null;
  readonly usage: AgentUsage | null;
  readonly costUsd: number | null;
}

export const NO_CONCLUSION: StreamConclusion = {
  verdict: null,
  isStructured: true,
  signalSeen: null,
  text: '',
  message: null,
  question: null,
  sessionId: null,
  usage: null,
  costUsd: null,
};

/** What an invocation is made of, besides the agent's config. */
export interface InvocationRequest
  extends Pick<AgentRunOptions, 'prompt' | 'mcpServers' | 'allowedTools' | 'itemId' | 'env' | 'sourceEnv'> {
  /** Where it runs can't harm this machine, see `CommandHost`. */
  readonly isSandbox: boolean;
}

/** Throws `UNSUPPORTED` when `value` was given: options are honoured or refused, never dropped. */
export function refuseOption(kind: AgentKind, option: string, value: unknown, reason: string): void {
  if (value === undefined) return;
  throw new WreckitError(
    'UNSUPPORTED',
    `run an agent of kind ${quote(kind)}: the option ${quote(option)} is not supported, ${reason}`,
    { hint: `leave ${option} out, or use an agent of another kind`, details: { kind, option } },
  );
}

/** How the program of an npm package gets where it is to run. */
export function installHint(npmPackage: string, isSandbox: boolean): string {
  if (!isSandbox) return `install it: npm install -g ${npmPackage}`;
  return (
    `a sprite sees /usr and /opt of this machine, no home directories: install it there (npm install -g ${npmPackage}), ` +
    `or in the sprite: "setup": ["npm install -g --prefix ~/.local ${npmPackage}"] in the agent's configuration`
  );
}

/** The variables of a run that every kind gets. */
export function runVariables({ itemId }: Pick<InvocationRequest, 'itemId'>): Record<string, string> {
  return itemId === undefined ? {} : { WRECKIT_ITEM_ID: itemId };
}

/** The tools that both lists allow; undefined: no list, every tool. */
export function allowedByBoth(
  config: readonly string[] | undefined,
  run: readonly string[] | undefined,
): readonly string[] | undefined {
  if (config === undefined || run === undefined) return run ?? config;
  return run.filter((tool) => config.includes(tool));
}
