/** What the `runs` verbs share. */
import type { Command } from 'commander';
import { type RunRecord, RunStore } from '../../agent/runs/run-record.ts';
import { type AnyContext, configOf } from '../context.ts';

export function withRunArgument(command: Command): Command {
  return command.argument('[run]', 'Run id', String, 'latest');
}

/** Throws `USAGE` for a run there is not. */
export async function runOf(
  context: AnyContext,
  runId: string,
): Promise<{ store: RunStore; record: RunRecord }> {
  const store = await storeOf(context);
  return { store, record: store.read(runId) };
}

export async function storeOf(context: AnyContext): Promise<RunStore> {
  return new RunStore((await configOf(context)).projectRoot);
}
