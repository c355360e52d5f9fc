/** The verbs of `wreckit`. A new one is a file and a line here; nothing is loaded before it is called. */
import type { VerbNode } from '../cli/verb.ts';
import { spriteVerbs } from './sprite/index.ts';

export const verbs: readonly VerbNode[] = [
  { name: 'sprite', summary: 'sandboxes: start, use and remove them', verbs: spriteVerbs },
];
