/** What a run of an agent is given, the same for every kind. */

import type { Network } from '../contract/schemas.ts';
import type { Logger } from '../logging.ts';
import type { AgentConfigUnion, RlmAgentConfig, SpriteAgentConfig } from '../schemas.ts';
import type { LandMode } from '../sync/land.ts';
import type { AgentEvent } from './agent-events.ts';
import type { CommandHost } from './command-host.ts';
import type { Lifecycle } from './lifecycle.ts';
import type { Budget } from './rlm/budget.ts';
import type { ContextDocument } from './rlm/context-documents.ts';
import type { StartLimit } from './start-within-limit.ts';
import type { SpriteStartSpec, WispClient } from './wisp-client/wisp-client.ts';

/** A server of the Model Context Protocol that the agent may use. */
export type McpServerConfig =
  | {
      readonly command: string;
      readonly args?: readonly string[];
      readonly env?: Readonly<Record<string, string>>;
    }
  | {
      readonly type: 'http' | 'sse';
      readonly url: string;
      readonly headers?: Readonly<Record<string, string>>;
    };

/** A sprite for the tools of an agent whose model loop runs on this machine. */
export interface AgentPlace {
  readonly client: WispClient;
  /** Its name. */
  readonly sprite: string;
  /** The project's directory inside. */
  readonly dir: string;
  /** Of the tree of agents: the `owner` of its sprites; absent: a new one. */
  readonly owner?: string | undefined;
  /** What it may reach; sprites the agent starts get no more. */
  readonly network?: Network | undefined;
  /** Where changes go that the agent pulls from other sprites; absent: it may pull none. */
  readonly pull?: LandMode | undefined;
  readonly branchPrefix?: string | undefined;
  /** Sprites of the whole engine. */
  readonly engineLimit?: StartLimit | undefined;
  /** The sprites the agent started and left are kept, not killed. */
  readonly keepsSprites?: boolean | undefined;
  /** What sprites get that the agent starts without asking for anything else. */
  readonly startDefaults?: SpriteStartSpec | undefined;
}

/** Every option reaches every kind, or the run is refused with `UNSUPPORTED` naming the option. */
export interface AgentRunOptions {
  readonly config: AgentConfigUnion;
  /** The project directory on this machine. */
  readonly cwd: string;
  readonly prompt: string;
  /** Material beside the prompt, for kinds that take it (`rlm`): see read-context.ts. */
  readonly context?: readonly ContextDocument[] | undefined;
  readonly logger?: Logger | undefined;
  /** Nothing is started; the output says what would be. */
  readonly dryRun?: boolean | undefined;
  /** Nothing is started; the run is a success that did nothing, with events, to try the rest of a pipeline. */
  readonly mockAgent?: boolean | undefined;
  /** Of the whole run; absent: no deadline. */
  readonly timeoutSeconds?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** The agent's raw output as text. A promise holds the agent back until it settles. */
  readonly onStdoutChunk?: ((text: string) => void | Promise<void>) | undefined;
  readonly onStderrChunk?: ((text: string) => void | Promise<void>) | undefined;
  readonly onAgentEvent?: ((event: AgentEvent) => void | Promise<void>) | undefined;
  readonly mcpServers?: Readonly<Record<string, McpServerConfig>> | undefined;
  /** The only tools the agent may use, by the agent's own names for them; absent: what its config says. */
  readonly allowedTools?: readonly string[] | undefined;
  /** The task's id, for logs; the agent sees it as WRECKIT_ITEM_ID. */
  readonly itemId?: string | undefined;
  /** Variables for the agent, over those of its config. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Registers what runs, so that a shutdown ends it; absent: only `signal` does. */
  readonly lifecycle?: Lifecycle | undefined;
  /** Where the agent's program runs; absent: on this machine, in `cwd`. */
  readonly host?: CommandHost | undefined;
  /** Where the tools of an `rlm` agent work; absent: as its config says. */
  readonly place?: AgentPlace | undefined;
  /** Of the tree of agents an `rlm` agent belongs to; absent: one of its own, as its config says. */
  readonly budget?: Budget | undefined;
  /** How many agents are above this one; 0 when absent. */
  readonly depth?: number | undefined;
  /** Where the agent's credentials are taken from (by allow-list); absent: this program's environment. */
  readonly sourceEnv?: Readonly<Record<string, string | undefined>> | undefined;
}

export type RlmRunOptions = Omit<AgentRunOptions, 'config'> & { readonly config: RlmAgentConfig };
export type SpriteRunOptions = Omit<AgentRunOptions, 'config'> & { readonly config: SpriteAgentConfig };
