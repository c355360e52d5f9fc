/** The verbs of `wreckit sync`. */
import type { VerbNode } from '../../cli/verb.ts';

export const syncVerbs: readonly VerbNode[] = [
  {
    name: 'plan',
    summary: 'what of the project would leave this machine, and why the rest stays',
    load: async () => (await import('./plan.ts')).verb,
  },
  {
    name: 'push',
    summary: 'put the project into a sprite',
    load: async () => (await import('./push.ts')).verb,
  },
  {
    name: 'pull',
    summary: "bring a sprite's changes back",
    load: async () => (await import('./pull.ts')).verb,
  },
  {
    name: 'undo',
    summary: 'make the working tree what it was before a pull',
    load: async () => (await import('./undo.ts')).verb,
  },
  {
    name: 'status',
    summary: 'what was pushed where, and what can be undone',
    load: async () => (await import('./status.ts')).verb,
  },
];
