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
    summary: 'make a sprite, or wake it',
    load: async () => (await import('./start.ts')).verb,
  },
  {
    name: 'list',
    section: SPRITES,
    summary: 'the sprites there are',
    load: async () => (await import('./list.ts')).verb,
  },
  {
    name: 'info',
    section: SPRITES,
    summary: 'one sprite, with its sessions and what it uses',
    load: async () => (await import('./info.ts')).verb,
  },
  {
    name: 'stop',
    section: SPRITES,
    summary: 'end its processes, keep its files',
    load: async () => (await import('./stop.ts')).verb,
  },
  {
    name: 'wake',
    section: SPRITES,
    summary: 'bring a stopped sprite up again',
    load: async () => (await import('./wake.ts')).verb,
  },
  {
    name: 'kill',
    section: SPRITES,
    summary: 'remove sprites with everything in them',
    load: async () => (await import('./kill.ts')).verb,
  },
  {
    name: 'gc',
    section: SPRITES,
    summary: 'finish or remove what is half-made, expired or orphaned',
    load: async () => (await import('./gc.ts')).verb,
  },
  {
    name: 'selftest',
    section: SPRITES,
    summary: 'try to get out of a sprite, and say how each attempt ended',
    load: async () => (await import('./selftest.ts')).verb,
  },
  {
    name: 'exec',
    section: COMMANDS,
    summary: 'run a command',
    load: async () => (await import('./exec.ts')).verb,
  },
  {
    name: 'attach',
    section: COMMANDS,
    summary: 'open a terminal, or come back to one',
    load: async () => (await import('./attach.ts')).verb,
  },
  {
    name: 'sessions',
    section: COMMANDS,
    summary: 'the commands that run and have run',
    load: async () => (await import('./sessions.ts')).verb,
  },
  {
    name: 'logs',
    section: COMMANDS,
    summary: 'what a command has printed',
    load: async () => (await import('./logs.ts')).verb,
  },
  {
    name: 'kill-session',
    section: COMMANDS,
    summary: 'end a command',
    load: async () => (await import('./kill-session.ts')).verb,
  },
  {
    name: 'service',
    section: COMMANDS,
    summary: 'commands that are kept running',
    verbs: [
      {
        name: 'add',
        summary: 'declare a command that is kept running',
        load: async () => (await import('./service/add.ts')).verb,
      },
      {
        name: 'list',
        summary: 'what is declared, and how it is',
        load: async () => (await import('./service/list.ts')).verb,
      },
      {
        name: 'start',
        summary: 'run it, and what it needs',
        load: async () => (await import('./service/start.ts')).verb,
      },
      {
        name: 'stop',
        summary: 'end it until it is started again',
        load: async () => (await import('./service/stop.ts')).verb,
      },
      {
        name: 'restart',
        summary: 'stop it and start it',
        load: async () => (await import('./service/restart.ts')).verb,
      },
      {
        name: 'signal',
        summary: 'send it a signal',
        load: async () => (await import('./service/signal.ts')).verb,
      },
      {
        name: 'rm',
        summary: 'stop and forget it',
        load: async () => (await import('./service/rm.ts')).verb,
      },
      {
        name: 'logs',
        summary: 'what it has printed',
        load: async () => (await import('./service/logs.ts')).verb,
      },
    ],
  },
  {
    name: 'push',
    section: FILES,
    summary: 'copy the project, a directory or a file into a sprite',
    load: async () => (await import('./push.ts')).verb,
  },
  {
    name: 'pull',
    section: FILES,
    summary: 'copy a directory or a file out of a sprite',
    load: async () => (await import('./pull.ts')).verb,
  },
  {
    name: 'login',
    section: CLOUD,
    summary: 'keep a token for the sprite cloud',
    load: async () => (await import('./login.ts')).verb,
  },
  {
    name: 'logout',
    section: CLOUD,
    summary: 'forget it',
    load: async () => (await import('./logout.ts')).verb,
  },
  {
    name: 'whoami',
    section: CLOUD,
    summary: 'which server, which organization, which token',
    load: async () => (await import('./whoami.ts')).verb,
  },
  {
    name: 'fs',
    section: FILES,
    summary: 'read and write files in a sprite',
    verbs: [
      {
        name: 'read',
        summary: "a file's bytes, to stdout",
        load: async () => (await import('./fs/read.ts')).verb,
      },
      {
        name: 'write',
        summary: 'a file from stdin',
        load: async () => (await import('./fs/write.ts')).verb,
      },
      {
        name: 'ls',
        summary: 'the entries of a directory',
        load: async () => (await import('./fs/ls.ts')).verb,
      },
      {
        name: 'rm',
        summary: 'remove a file or directory',
        load: async () => (await import('./fs/rm.ts')).verb,
      },
      {
        name: 'mkdir',
        summary: 'make a directory and those above it',
        load: async () => (await import('./fs/mkdir.ts')).verb,
      },
      {
        name: 'mv',
        summary: 'rename a file or directory',
        load: async () => (await import('./fs/mv.ts')).verb,
      },
      {
        name: 'chmod',
        summary: 'change the mode of a file or directory',
        load: async () => (await import('./fs/chmod.ts')).verb,
      },
    ],
  },
  {
    name: 'ports',
    section: NETWORK,
    summary: 'what listens in a sprite',
    load: async () => (await import('./ports.ts')).verb,
  },
  {
    name: 'proxy',
    section: NETWORK,
    summary: "tunnels from this machine to a sprite's ports",
    load: async () => (await import('./proxy.ts')).verb,
  },
];
