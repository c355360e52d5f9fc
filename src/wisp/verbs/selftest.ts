import { attemptLine, attemptSummary } from '../../cli/attempt-text.ts';
import { isColorWanted } from '../../cli/table.ts';
import type { Attempt } from '../../contract/schemas.ts';
import { WreckitError } from '../../errors.ts';
import { createEngine } from '../create-engine.ts';
import type { WispVerb } from '../globals.ts';

const NOTES = `
Exit code: 0 when every attempt was refused, 8 when one succeeded, 1 when the outcome of one is unclear.
Everything it starts is removed afterwards.`;

export const verb: WispVerb = {
  define: (command) => command.addHelpText('after', NOTES),
  examples: [
    ['wisp selftest', 'Try to break out of a throwaway sprite and report each attempt'],
    ['wisp selftest --json', 'The same, for scripts'],
  ],
  async run(context) {
    const { io, json, signal, globals } = context;
    const { selftest } = await createEngine(context);
    if (selftest === undefined) throw new WreckitError('UNSUPPORTED', 'selftest: this engine has none');
    const format = { columns: io.stdout.columns, color: isColorWanted(io.env, io.stdout.isTty) };
    const isQuiet = globals.quiet === true;
    const onAttempt = (attempt: Attempt): void => {
      const isShown = !json && (!isQuiet || attempt.status !== 'refused');
      if (isShown) void io.stdout.write(attemptLine(attempt, format)).catch(() => false);
    };
    const { isolation, attempts } = await selftest({ signal, onAttempt });
    const failure = failureOf(attempts);
    if (failure !== null) throw failure;
    return { data: { isolation, attempts }, text: attemptSummary(attempts) };
  },
};

function failureOf(attempts: readonly Attempt[]): WreckitError | null {
  const named = (status: Attempt['status']): string[] =>
    attempts.filter((attempt) => attempt.status === status).map(({ name }) => name);
  const succeeded = named('succeeded');
  const details = { attempts };
  if (succeeded.length > 0) {
    return new WreckitError(
      'ISOLATION_UNAVAILABLE',
      `selftest: ${succeeded.length} of ${attempts.length} attempts got out: ${succeeded.join(', ')}`,
      {
        hint: 'run nothing in sprites of this machine that you would not run on it, and look at: wisp doctor',
        details,
      },
    );
  }
  const unclear = named('unclear');
  if (unclear.length === 0) return null;
  return new WreckitError(
    'INTERNAL',
    `selftest: ${unclear.length} of ${attempts.length} attempts failed in another way than they should: ${unclear.join(', ')}`,
    { hint: 'see what they said: wisp selftest --json', details },
  );
}
