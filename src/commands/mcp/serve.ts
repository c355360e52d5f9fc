import { createHash } from 'node:crypto';
import { Writable } from 'node:stream';
import type { BudgetLimits } from '../../agent/rlm-tools.ts';
import type { OutputPort } from '../../cli/io.ts';
import { DEFAULT_MAX_DEPTH, DEFAULT_MAX_EXECS, DEFAULT_RLM_AGENT } from '../../config/defaults.ts';
import type { LoadedConfig } from '../../config.ts';
import { packageVersion } from '../../package-root.ts';
import type { RlmAgentConfig } from '../../schemas.ts';
import { configOf, spriteRunnerOf } from '../context.ts';
import type { WreckitVerb } from '../globals.ts';

type Options = {
  readonly allow?: string[];
  readonly owner?: string;
  readonly readOnly?: boolean;
};

/** Sprites nobody has killed are gc's after this long. */
const DEFAULT_TTL = '24h';
const EVERYBODY = 'all';

export const verb: WreckitVerb<Options> = {
  define: (command) =>
    command
      .option(
        '--allow <names>',
        'Offer only these tools, comma-separated (repeatable)',
        (text: string, before: string[] = []) => [...before, ...text.split(',')],
      )
      .option(
        '--owner <id>',
        'Whose sprites it sees; default: those of this project\'s clients; "all": everyone\'s',
      )
      .option('--read-only', 'Offer only tools that change nothing'),
  examples: [
    ['wreckit mcp serve', 'The server, also as "wreckit mcp"; clients start it (wreckit mcp install)'],
    ['wreckit mcp serve --allow spawn_sprite,exec_in_sprite,kill_sprite', 'Three tools and no more'],
    ['wreckit mcp serve --read-only --owner all', 'See every sprite of this machine, change none'],
  ],
  async run(context) {
    const { options, io, signal } = context;
    const loaded = await configOf(context);
    for (const notice of loaded.notices) await context.warn(notice);
    const client = await spriteRunnerOf(context, loaded);
    const { Budget, buildToolRegistry, SpriteScope } = await import('../../agent/rlm-tools.ts');
    const { askedNetwork, startDefaults } = await import('../../agent/sprite-run/start-defaults.ts');
    const { serveMcp } = await import('../../agent/mcp/mcp-server.ts');
    const { sprite: settings, projectRoot } = loaded;
    const isWide = options.owner === EVERYBODY;
    const network = askedNetwork(settings);
    const scope = new SpriteScope({
      client,
      owner: isWide || options.owner === undefined ? ownerOf(projectRoot) : options.owner,
      isWide,
      budget: new Budget(limitsOf(loaded)),
      projectRoot,
      engineLimit: { maxVMs: settings.maxVMs, env: io.env, wispPath: settings.wispPath },
      startDefaults: { ...startDefaults(settings, client.isBundled), network, ttl: DEFAULT_TTL },
      // "open" is this machine's own network: only where the user has said so.
      maxNetwork: network ?? 'filtered',
    });
    const project = {
      root: projectRoot,
      pull: 'apply' as const,
      include: settings.include,
      exclude: settings.syncExcludePatterns,
    };
    const { agentTools } = await import('../../agent/rlm/agent-tools.ts');
    const { runRlmAgent } = await import('../../agent/rlm-runner.ts');
    const parent = { config: rlmConfigOf(loaded), cwd: projectRoot, prompt: '', sourceEnv: io.env };
    const registry = buildToolRegistry(options.allow, {
      sprites: { scope, project },
      more: agentTools({ scope, project, parent, runRlm: runRlmAgent }),
      isReadOnly: options.readOnly,
    });
    await serveMcp({
      registry,
      scope,
      version: packageVersion(),
      stdin: io.stdin,
      stdout: writableOf(io.stdout),
      signal,
      onError: (message) => void context.warn(message),
    });
    return {};
  },
};

/** What agents of the kind rlm are to be like that are started through a tool. */
function rlmConfigOf({ config: { agent } }: LoadedConfig): RlmAgentConfig {
  const inner = agent.kind === 'sprite' ? agent.agent : agent;
  return inner.kind === 'rlm' ? inner : DEFAULT_RLM_AGENT;
}

/** One pool for all calls of the server and the agents they start. Its time is the client's, so that has no limit. */
function limitsOf(loaded: LoadedConfig): BudgetLimits {
  const { maxVMs, maxDepth, maxConcurrentExecs, maxTotalTokens, maxCostUsd } = rlmConfigOf(loaded);
  return {
    maxVMs: maxVMs ?? loaded.sprite.maxVMs,
    maxDepth: maxDepth ?? DEFAULT_MAX_DEPTH,
    maxConcurrentExecs: maxConcurrentExecs ?? DEFAULT_MAX_EXECS,
    maxTotalTokens,
    maxCostUsd,
  };
}

/** The same for every client of a project, so that one that is started again finds its sprites. */
function ownerOf(projectRoot: string): string {
  return `mcp-${createHash('sha256').update(projectRoot).digest('hex').slice(0, 12)}`;
}

function writableOf(port: OutputPort): Writable {
  return new Writable({
    decodeStrings: true,
    write(chunk: Uint8Array, _encoding, done) {
      port.write(chunk).then(() => done(), done);
    },
  });
}
