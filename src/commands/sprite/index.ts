/** The verbs of `wreckit sprite`. A new one is a file and a line here. */
import type { VerbNode } from '../../cli/verb.ts';

const SPRITES = 'Sprites';
const COMMANDS = 'Commands in a sprite';
const FILES = 'Files';
const CLOUD = 'The cloud';
const NETWORK = 'Network';

export const spriteVerbs: readonly VerbNode[] = [
  {
    name: 'start',
    section: SPRITES,
    summary: 'Create a sprite, or wake an existing one',
    load: async () => (await import('./start.ts')).verb,
  },
  {
    name: 'list',
    section: SPRITES,
    summary: 'List sprites',
    load: async () => (await import('./list.ts')).verb,
  },
  {
    name: 'info',
    section: SPRITES,
    summary: 'Show a sprite, its sessions and resource usage',
    load: async () => (await import('./info.ts')).verb,
  },
  {
    name: 'stop',
    section: SPRITES,
    summary: "Stop a sprite's processes, keeping its files",
    load: async () => (await import('./stop.ts')).verb,
  },
  {
    name: 'wake',
    section: SPRITES,
    summary: 'Wake a sleeping or stopped sprite',
    load: async () => (await import('./wake.ts')).verb,
  },
  {
    name: 'kill',
    section: SPRITES,
    summary: 'Remove sprites and everything in them',
    load: async () => (await import('./kill.ts')).verb,
  },
  {
    name: 'gc',
    section: SPRITES,
    summary: 'Clean up what is half-made, expired or orphaned',
    load: async () => (await import('./gc.ts')).verb,
  },
  {
    name: 'selftest',
    section: SPRITES,
    summary: 'Try to break out of a sprite and report each attempt',
    load: async () => (await import('./selftest.ts')).verb,
  },
  {
    name: 'exec',
    section: COMMANDS,
    summary: 'Run a command',
    load: async () => (await import('./exec.ts')).verb,
  },
  {
    name: 'attach',
    section: COMMANDS,
    summary: 'Open a terminal, or reattach to one',
    load: async () => (await import('./attach.ts')).verb,
  },
  {
    name: 'sessions',
    section: COMMANDS,
    summary: 'List commands, running and finished',
    load: async () => (await import('./sessions.ts')).verb,
  },
  {
    name: 'logs',
    section: COMMANDS,
    summary: 'Print the output of a command',
    load: async () => (await import('./logs.ts')).verb,
  },
  {
    name: 'kill-session',
    section: COMMANDS,
    summary: 'Stop a command',
    load: async () => (await import('./kill-session.ts')).verb,
  },
  {
    name: 'service',
    section: COMMANDS,
    summary: 'Manage commands that are kept running',
    verbs: [
      {
        name: 'add',
        summary: 'Declare a service and start it',
        load: async () => (await import('./service/add.ts')).verb,
      },
      {
        name: 'list',
        summary: 'List services and their status',
        load: async () => (await import('./service/list.ts')).verb,
      },
      {
        name: 'start',
        summary: 'Start a service and what it needs',
        load: async () => (await import('./service/start.ts')).verb,
      },
      {
        name: 'stop',
        summary: 'Stop a service until it is started again',
        load: async () => (await import('./service/stop.ts')).verb,
      },
      {
        name: 'restart',
        summary: 'Restart a service',
        load: async () => (await import('./service/restart.ts')).verb,
      },
      {
        name: 'signal',
        summary: 'Send a signal to a service',
        load: async () => (await import('./service/signal.ts')).verb,
      },
      {
        name: 'rm',
        summary: 'Stop and remove a service',
        load: async () => (await import('./service/rm.ts')).verb,
      },
      {
        name: 'logs',
        summary: 'Print the output of a service',
        load: async () => (await import('./service/logs.ts')).verb,
      },
    ],
  },
  {
    name: 'push',
    section: FILES,
    summary: 'Copy the project, a directory or a file into a sprite',
    load: async () => (await import('./push.ts')).verb,
  },
  {
    name: 'pull',
    section: FILES,
    summary: 'Copy a directory or a file out of a sprite',
    load: async () => (await import('./pull.ts')).verb,
  },
  {
    name: 'login',
    section: CLOUD,
    summary: 'Log in to the sprite cloud',
    load: async () => (await import('./login.ts')).verb,
  },
  {
    name: 'logout',
    section: CLOUD,
    summary: 'Forget the stored token',
    load: async () => (await import('./logout.ts')).verb,
  },
  {
    name: 'whoami',
    section: CLOUD,
    summary: 'Show the server, organization and token in use',
    load: async () => (await import('./whoami.ts')).verb,
  },
  {
    name: 'fs',
    section: FILES,
    summary: 'Read and change files in a sprite',
    verbs: [
      {
        name: 'read',
        summary: 'Print a file',
        load: async () => (await import('./fs/read.ts')).verb,
      },
      {
        name: 'write',
        summary: 'Write stdin to a file',
        load: async () => (await import('./fs/write.ts')).verb,
      },
      {
        name: 'ls',
        summary: 'List a directory',
        load: async () => (await import('./fs/ls.ts')).verb,
      },
      {
        name: 'rm',
        summary: 'Remove a file or directory',
        load: async () => (await import('./fs/rm.ts')).verb,
      },
      {
        name: 'mkdir',
        summary: 'Create a directory and its parents',
        load: async () => (await import('./fs/mkdir.ts')).verb,
      },
      {
        name: 'mv',
        summary: 'Rename a file or directory',
        load: async () => (await import('./fs/mv.ts')).verb,
      },
      {
        name: 'chmod',
        summary: 'Change the mode of a file or directory',
        load: async () => (await import('./fs/chmod.ts')).verb,
      },
    ],
  },
  {
    name: 'ports',
    section: NETWORK,
    summary: 'List listening ports',
    load: async () => (await import('./ports.ts')).verb,
  },
  {
    name: 'proxy',
    section: NETWORK,
    summary: 'Forward local ports to a sprite',
    load: async () => (await import('./proxy.ts')).verb,
  },
];
