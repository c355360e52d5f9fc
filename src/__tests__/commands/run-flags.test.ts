/** What flags of `wreckit run` make of the configuration. Nothing is started. */
import { describe, expect, test } from 'bun:test';
import { chooseAgent } from '../../commands/run/agent-choice.ts';
import { toolNames } from '../../commands/run/run-call.ts';
import { SpriteAgentSchema } from '../../schemas.ts';
import { wreckitErrorOf } from '../helpers/error-of.ts';

describe('chooseAgent()', () => {
  const agent = { kind: 'claude_sdk', model: 'opus' };
  const settings = SpriteAgentSchema.parse({ kind: 'sprite', agent, model: 'sonnet', max_tokens: 9 });

  test('leaves the model of the configured agent to that agent', async () => {
    expect(await chooseAgent(settings, settings, {})).toMatchObject({ model: 'sonnet', max_tokens: 9 });
    const other = await chooseAgent(settings, settings, { agent: 'codex_sdk' });
    expect(other).toMatchObject({ kind: 'sprite', agent: { kind: 'codex_sdk' } });
    expect(Object.keys(other)).not.toContain('model');
    expect(Object.keys(other)).not.toContain('max_tokens');
  });
});

describe('toolNames()', () => {
  test.each([
    ['Read', ['Read']],
    [' Read, Bash(git log, git diff) ,Grep', ['Read', 'Bash(git log, git diff)', 'Grep']],
  ])('%p are %p', (text, names) => {
    expect(toolNames(text)).toEqual(names);
  });

  test.each(['', ' ', 'Read,,Grep', 'Read,'])('%p has a name that is empty', async (text) => {
    expect((await wreckitErrorOf(() => toolNames(text))).code).toBe('USAGE');
  });
});
