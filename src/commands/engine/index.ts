/** The verbs of `wreckit engine`. */
import type { VerbNode } from '../../cli/verb.ts';

export const engineVerbs: readonly VerbNode[] = [
  {
    name: 'explain',
    summary: 'Explain which engine is used and why, its isolation, cost and requirements',
    load: async () => (await import('./explain.ts')).verb,
  },
];
