import { main } from '../cli/main.ts';
import { packageVersion } from '../package-root.ts';
import { calledAs } from './called-as.ts';
import { globalOptions } from './globals.ts';
import { verbs } from './verb-table.ts';

void main({
  name: 'wisp',
  summary: 'Sprites: named, persistent sandboxes on this machine. One JSON document per command with --json.',
  version: packageVersion,
  verbs,
  globalOptions,
  calledAs: process.env.WISP_CALLED_AS === undefined ? undefined : calledAs(process.env),
});
