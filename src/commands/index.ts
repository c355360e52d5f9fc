/** The verbs of `wreckit`. A new one is a file and a line here; nothing is loaded before it is called. */
import type { VerbNode } from '../cli/verb.ts';
import { engineVerbs } from './engine/index.ts';
import { mcpVerbs } from './mcp/index.ts';
import { runsVerbs } from './runs/index.ts';
import { spriteVerbs } from './sprite/index.ts';
import { syncVerbs } from './sync/index.ts';

const AGENTS = 'Agents';
const PROJECT = 'Project';
const MACHINE = 'This machine';

export const verbs: readonly VerbNode[] = [
  {
    name: 'run',
    section: AGENTS,
    summary: 'run an agent in a sprite, and bring its changes back',
    load: async () => (await import('./run.ts')).verb,
  },
  {
    name: 'runs',
    section: AGENTS,
    summary: 'what became of runs; bring their work home',
    verbs: runsVerbs,
    defaultVerb: 'list',
  },
  {
    name: 'sprite',
    section: 'Sprites',
    summary: 'sandboxes: start, use and remove them',
    verbs: spriteVerbs,
  },
  {
    name: 'mcp',
    section: AGENTS,
    summary: 'sprites as tools for Claude Code, Codex and other MCP clients',
    verbs: mcpVerbs,
    defaultVerb: 'serve',
  },
  {
    name: 'sync',
    section: PROJECT,
    summary: 'the project into a sprite, and changes back',
    verbs: syncVerbs,
    defaultVerb: 'status',
  },
  {
    name: 'init',
    section: PROJECT,
    summary: 'set a project up: its configuration and what git ignores',
    load: async () => (await import('./init.ts')).verb,
  },
  {
    name: 'config',
    section: PROJECT,
    summary: 'the configuration in force',
    verbs: [
      {
        name: 'show',
        summary: 'print it, with the origin of each value',
        load: async () => (await import('./config-show.ts')).verb,
      },
    ],
  },
  {
    name: 'engine',
    section: MACHINE,
    summary: 'what makes the sprites: which engine, why, what it needs',
    verbs: engineVerbs,
    defaultVerb: 'explain',
  },
  {
    name: 'doctor',
    section: MACHINE,
    summary: 'check that everything is there, and say what mends it',
    load: async () => (await import('./doctor.ts')).verb,
  },
  {
    name: 'completion',
    section: MACHINE,
    summary: 'print a completion script for bash, zsh or fish',
    load: async () => (await import('./completion.ts')).verb,
  },
  {
    name: '__complete',
    summary: 'complete a command line',
    hidden: true,
    load: async () => (await import('./complete-line.ts')).completeLineVerb(verbs),
  },
];
