/** What `--context` names, read before anything is started. */
import { checkContext } from '../../agent/check-context.ts';
import { readContext } from '../../agent/read-context.ts';
import type { ContextDocument } from '../../agent/rlm/context-documents.ts';
import { WreckitError } from '../../errors.ts';
import type { RunContext } from './run-call.ts';
import type { RunSetup } from './run-setup.ts';

/** Undefined: none was asked for. */
export type Material = readonly ContextDocument[] | undefined;

const MAX_NAMED = 5;

/** Throws as `readContext`, and `UNSUPPORTED` for an agent that takes none. */
export async function readMaterial(context: RunContext, setup: RunSetup): Promise<Material> {
  const { args, cwd, io, options, signal } = context;
  const { context: paths } = options;
  if (paths === undefined) return undefined;
  checkContext(setup.config, { prompt: '', context: [] });
  if (paths.includes('-') && args[0].length === 1 && args[0][0] === '-') {
    throw new WreckitError('USAGE', 'run: standard input is the prompt or the context, not both', {
      hint: 'give the prompt in words or with --file',
    });
  }
  const { loaded } = setup;
  const { documents, leftOut } = await readContext({
    paths,
    cwd,
    root: loaded.projectRoot,
    exclude: loaded.sprite.syncExcludePatterns,
    stdin: io.stdin,
    signal,
  });
  for (const { name, reason } of leftOut.slice(0, MAX_NAMED))
    await context.warn(`context: ${name} is left out: it ${reason}`);
  const more = leftOut.length - MAX_NAMED;
  if (more > 0) await context.warn(`context: ${more} more files are left out`);
  if (documents.length > 0) return documents;
  throw new WreckitError('USAGE', `--context: there is no text in ${paths.join(', ')}`);
}
