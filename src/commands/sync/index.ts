/** The verbs of `wreckit sync`. */
import type { VerbNode } from '../../cli/verb.ts';

export const syncVerbs: readonly VerbNode[] = [
  {
    name: 'plan',
    summary: 'List what would leave this machine, and why the rest stays',
    load: async () => (await import('./plan.ts')).verb,
  },
  {
    name: 'push',
    summary: 'Push the project into a sprite',
    load: async () => (await import('./push.ts')).verb,
  },
  {
    name: 'pull',
    summary: "Pull a sprite's changes back",
    load: async () => (await import('./pull.ts')).verb,
  },
  {
    name: 'undo',
    summary: 'Restore the working tree as it was before a pull',
    load: async () => (await import('./undo.ts')).verb,
  },
  {
    name: 'status',
    summary: 'Show what was pushed where and what can be undone',
    load: async () => (await import('./status.ts')).verb,
  },
];
