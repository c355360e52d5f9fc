/** The verbs of `wreckit runs`. */
import type { VerbNode } from '../../cli/verb.ts';

export const runsVerbs: readonly VerbNode[] = [
  {
    name: 'list',
    summary: 'List the runs of this project',
    load: async () => (await import('./list.ts')).verb,
  },
  { name: 'show', summary: 'Show what became of a run', load: async () => (await import('./show.ts')).verb },
  { name: 'logs', summary: 'Print the output of a run', load: async () => (await import('./logs.ts')).verb },
  { name: 'diff', summary: 'Show what a run changed', load: async () => (await import('./diff.ts')).verb },
  {
    name: 'land',
    summary: 'Land the work of a run in this project',
    load: async () => (await import('./land.ts')).verb,
  },
  {
    name: 'undo',
    summary: 'Undo what was applied to the working tree',
    load: async () => (await import('./undo.ts')).verb,
  },
  { name: 'rm', summary: 'Remove the records of runs', load: async () => (await import('./rm.ts')).verb },
];
