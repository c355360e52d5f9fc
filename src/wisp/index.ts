import { main } from '../cli/main.ts';
import { packageVersion } from '../package-root.ts';
import { calledAs } from './called-as.ts';
import { globalOptions } from './globals.ts';
import { verbs } from './verb-table.ts';

void main({
  name: 'wisp',
  summary: 'Named, persistent sandboxes (sprites) on this machine',
  version: packageVersion,
  verbs,
  globalOptions,
  calledAs: process.env.WISP_CALLED_AS === undefined ? undefined : calledAs(process.env),
});
