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
    summary: 'Run an agent in a sprite and bring its changes back',
    load: async () => (await import('./run.ts')).verb,
  },
  {
    name: 'runs',
    section: AGENTS,
    summary: 'List runs, inspect them and land their work',
    verbs: runsVerbs,
    defaultVerb: 'list',
  },
  {
    name: 'sprite',
    section: 'Sprites',
    summary: 'Start, use and remove sandboxes',
    verbs: spriteVerbs,
  },
  {
    name: 'mcp',
    section: AGENTS,
    summary: 'Offer sprites as tools to Claude Code, Codex and other MCP clients',
    verbs: mcpVerbs,
    defaultVerb: 'serve',
  },
  {
    name: 'sync',
    section: PROJECT,
    summary: 'Push the project into a sprite and pull changes back',
    verbs: syncVerbs,
    defaultVerb: 'status',
  },
  {
    name: 'init',
    section: PROJECT,
    summary: 'Set up a project: configuration and git ignore rules',
    load: async () => (await import('./init.ts')).verb,
  },
  {
    name: 'config',
    section: PROJECT,
    summary: 'Show the configuration in force',
    verbs: [
      {
        name: 'show',
        summary: 'Print the configuration and where each value comes from',
        load: async () => (await import('./config-show.ts')).verb,
      },
    ],
  },
  {
    name: 'engine',
    section: MACHINE,
    summary: 'Explain which engine makes the sprites, why, and what it needs',
    verbs: engineVerbs,
    defaultVerb: 'explain',
  },
  {
    name: 'doctor',
    section: MACHINE,
    summary: 'Check this machine and project, and print fixes',
    load: async () => (await import('./doctor.ts')).verb,
  },
  {
    name: 'completion',
    section: MACHINE,
    summary: 'Print a completion script for bash, zsh or fish',
    load: async () => (await import('./completion.ts')).verb,
  },
  {
    name: '__complete',
    summary: 'Complete a command line',
    hidden: true,
    load: async () => (await import('./complete-line.ts')).completeLineVerb(verbs),
  },
];
