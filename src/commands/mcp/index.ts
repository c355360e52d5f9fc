import type { VerbNode } from '../../cli/verb.ts';

export const mcpVerbs: readonly VerbNode[] = [
  {
    name: 'serve',
    summary: 'serve the tools on standard input and output; what clients start',
    load: async () => (await import('./serve.ts')).verb,
  },
  {
    name: 'install',
    summary: "print a client's configuration for it, or write it",
    load: async () => (await import('./install.ts')).verb,
  },
];
