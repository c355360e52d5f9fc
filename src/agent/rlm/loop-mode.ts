/** Which of the two loops a run takes: a conversation that holds everything, or code over material it does not hold. */
import { WreckitError } from '../../errors.ts';
import type { RlmAgentConfig } from '../../schemas.ts';
import { type ContextDocument, totalChars } from './context-documents.ts';

export type LoopMode = 'chat' | 'rlm';

/** About 16,000 tokens, which a conversation would pay for again at every turn. */
export const AUTO_RLM_CHARS = 64 * 1024;
/** More than any model takes; named at once instead of by a provider's refusal. */
const MAX_CHAT_CHARS = 4 * 1024 * 1024;

/** Throws `USAGE` where the user wants a chat over more than a conversation can hold. */
export function loopModeOf(
  { mode = 'auto' }: Pick<RlmAgentConfig, 'mode'>,
  prompt: string,
  context: readonly ContextDocument[],
): LoopMode {
  const chars = prompt.length + totalChars(context);
  if (mode === 'auto') return chars > AUTO_RLM_CHARS ? 'rlm' : 'chat';
  if (mode === 'chat' && chars > MAX_CHAT_CHARS) {
    throw new WreckitError(
      'USAGE',
      `agent rlm: ${chars} characters are too much for the mode "chat", which takes at most ${MAX_CHAT_CHARS}`,
      { hint: 'leave "mode" out, or set it to "rlm": then code looks through the material' },
    );
  }
  return mode;
}
