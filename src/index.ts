import { main } from './cli/main.ts';
import { globalOptions } from './commands/globals.ts';
import { verbs } from './commands/index.ts';
import { packageVersion } from './package-root.ts';

void main({
  name: 'wreckit',
  summary: 'Run AI coding agents unattended in real sandboxes, without handing them your machine',
  version: packageVersion,
  verbs,
  globalOptions,
});
