import type { VerbNode } from '../../cli/verb.ts';

export const mcpVerbs: readonly VerbNode[] = [
  {
    name: 'serve',
    summary: 'Serve the tools over stdin and stdout (started by MCP clients)',
    load: async () => (await import('./serve.ts')).verb,
  },
  {
    name: 'install',
    summary: "Print or write a client's configuration",
    load: async () => (await import('./install.ts')).verb,
  },
];
