/** The verbs of `wreckit engine`. */
import type { VerbNode } from '../../cli/verb.ts';

export const engineVerbs: readonly VerbNode[] = [
  {
    name: 'explain',
    summary: 'which engine would be used and why, its isolation, cost and needs',
    load: async () => (await import('./explain.ts')).verb,
  },
];
