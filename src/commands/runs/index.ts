/** The verbs of `wreckit runs`. */
import type { VerbNode } from '../../cli/verb.ts';

export const runsVerbs: readonly VerbNode[] = [
  { name: 'list', summary: 'the runs of this project', load: async () => (await import('./list.ts')).verb },
  { name: 'show', summary: 'what became of a run', load: async () => (await import('./show.ts')).verb },
  { name: 'logs', summary: 'what it printed', load: async () => (await import('./logs.ts')).verb },
  { name: 'diff', summary: 'what it changed', load: async () => (await import('./diff.ts')).verb },
  { name: 'land', summary: 'bring its work home', load: async () => (await import('./land.ts')).verb },
  { name: 'undo', summary: 'take back what was applied', load: async () => (await import('./undo.ts')).verb },
  { name: 'rm', summary: 'forget runs', load: async () => (await import('./rm.ts')).verb },
];
