/** A run in words, for `--dry-run`: what would be started and where. No secret and no prompt is in it. */
import { quote } from '../contract/names.ts';
import type { AgentConfigUnion } from '../schemas.ts';
import type { AgentRunOptions } from './agent-options.ts';
import { placeFiles } from './command-host.ts';
import type { AgentInvocation } from './invocation.ts';
import { type ContextDocument, contextInWords } from './rlm/context-documents.ts';
import { loopModeOf } from './rlm/loop-mode.ts';

export type DescribedRun = Pick<AgentRunOptions, 'config' | 'cwd' | 'prompt' | 'context' | 'timeoutSeconds'>;

/** `invocation`: of a kind that is one command; null for the others. */
export function describeRun(
  { config, cwd, prompt, context = [], timeoutSeconds }: DescribedRun,
  invocation: AgentInvocation | null,
): string {
  const deadline = timeoutSeconds === undefined ? '' : `, for at most ${timeoutSeconds} s`;
  const place = config.kind === 'sprite' ? '' : ` in ${quote(cwd)}`;
  const what = invocation === null ? agentInWords(config) : commandInWords(config, invocation);
  const material = context.length === 0 ? '' : ` and ${contextInWords(context)}`;
  const loop = loopInWords(config, prompt, context);
  return `run ${what}${place} with a prompt of ${prompt.length} characters${material}${loop}${deadline}`;
}

/** How a model that is reached from here goes about it. */
function loopInWords(config: AgentConfigUnion, prompt: string, context: readonly ContextDocument[]): string {
  const agent = config.kind === 'sprite' ? config.agent : config;
  if (agent.kind !== 'rlm') return '';
  if (loopModeOf(agent, prompt, context) === 'chat') return ', in a conversation (mode chat)';
  const where = config.kind === 'sprite' ? 'that sprite' : 'a sprite of its own';
  return `, by code that is run in ${where} (mode rlm)`;
}

/** The prompt may stand in the argv of a `process` agent: its args are shown as they are configured. */
function commandInWords(config: AgentConfigUnion, { argv }: AgentInvocation): string {
  const shown = config.kind === 'process' ? [config.command, ...config.args] : argv;
  const words = shown.map((word) => placeFiles(word, '<private files>'));
  return words.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : quote(word))).join(' ');
}

function agentInWords(config: AgentConfigUnion): string {
  const model = 'model' in config && config.model !== undefined ? ` (${config.model})` : '';
  switch (config.kind) {
    case 'process':
      return `the command ${quote(config.command)}`;
    case 'claude_sdk':
      return `Claude Code${model}`;
    case 'codex_sdk':
      return `Codex${model}`;
    case 'opencode_sdk':
      return `OpenCode${model}`;
    case 'amp_sdk':
      return `Amp${model}`;
    case 'rlm':
      return `the rlm agent${model}`;
    case 'sprite': {
      const sprite =
        config.vmName === undefined ? 'a sprite of its own' : `the sprite ${quote(config.vmName)}`;
      const limits = `${config.defaultMemory}, ${config.defaultCPUs} CPUs, keep: ${config.keep}`;
      const sync = config.syncEnabled ? `, land: ${config.land}` : ', nothing brought back';
      return `${agentInWords(config.agent)} in ${sprite} (${limits}${sync})`;
    }
  }
}
