/** The verbs of `wisp`. A new one is a file and a line here; nothing is loaded before it is called. */
import type { VerbEntry, VerbNode } from '../cli/verb.ts';

const SPRITES = 'Sprites';
const COMMANDS = 'Commands in a sprite';
const FILES = 'Files';
const STATES = 'Saved states';
const NETWORK = 'Network';
const MACHINE = 'This machine';
const CLOUD = 'The cloud';

export const verbs: readonly VerbNode[] = [
  {
    name: 'start',
    section: SPRITES,
    summary: 'make a sprite, or wake it',
    load: async () => (await import('./verbs/start.ts')).verb,
  },
  {
    name: 'list',
    section: SPRITES,
    summary: 'the sprites there are',
    load: async () => (await import('./verbs/list.ts')).verb,
  },
  {
    name: 'info',
    section: SPRITES,
    summary: 'one sprite, with its sessions and what it uses',
    load: async () => (await import('./verbs/info.ts')).verb,
  },
  {
    name: 'stop',
    section: SPRITES,
    summary: 'end its processes, keep its disk',
    load: async () => (await import('./verbs/stop.ts')).verb,
  },
  {
    name: 'wake',
    section: SPRITES,
    summary: 'bring a stopped sprite up again',
    load: async () => (await import('./verbs/wake.ts')).verb,
  },
  {
    name: 'kill',
    section: SPRITES,
    summary: 'remove sprites with everything in them',
    load: async () => (await import('./verbs/kill.ts')).verb,
  },
  {
    name: 'exec',
    section: COMMANDS,
    summary: 'run a command',
    load: async () => (await import('./verbs/exec.ts')).verb,
  },
  {
    name: 'attach',
    section: COMMANDS,
    summary: 'open a terminal, or come back to one',
    load: async () => (await import('./verbs/attach.ts')).verb,
  },
  {
    name: 'sessions',
    section: COMMANDS,
    summary: 'the commands that run and have run',
    load: async () => (await import('./verbs/sessions.ts')).verb,
  },
  {
    name: 'logs',
    section: COMMANDS,
    summary: 'what a command has printed',
    load: async () => (await import('./verbs/logs.ts')).verb,
  },
  {
    name: 'kill-session',
    section: COMMANDS,
    summary: 'end a command',
    load: async () => (await import('./verbs/kill-session.ts')).verb,
  },
  {
    name: 'service',
    section: COMMANDS,
    summary: 'commands that are kept running',
    verbs: [
      {
        name: 'add',
        summary: 'declare a command that is kept running',
        load: async () => (await import('./verbs/service/add.ts')).verb,
      },
      {
        name: 'list',
        summary: 'what is declared, and how it is',
        load: async () => (await import('./verbs/service/list.ts')).verb,
      },
      {
        name: 'start',
        summary: 'run it, and what it needs',
        load: async () => (await import('./verbs/service/start.ts')).verb,
      },
      {
        name: 'stop',
        summary: 'end it until it is started again',
        load: async () => (await import('./verbs/service/stop.ts')).verb,
      },
      {
        name: 'restart',
        summary: 'stop it and start it',
        load: async () => (await import('./verbs/service/restart.ts')).verb,
      },
      {
        name: 'signal',
        summary: 'send it a signal',
        load: async () => (await import('./verbs/service/signal.ts')).verb,
      },
      {
        name: 'rm',
        summary: 'stop and forget it',
        load: async () => (await import('./verbs/service/rm.ts')).verb,
      },
      {
        name: 'logs',
        summary: 'what it has printed',
        load: async () => (await import('./verbs/service/logs.ts')).verb,
      },
    ],
  },
  {
    name: 'fs',
    section: FILES,
    summary: 'read and write files in a sprite',
    verbs: [
      {
        name: 'read',
        summary: "a file's bytes, to stdout",
        load: async () => (await import('./verbs/fs/read.ts')).verb,
      },
      {
        name: 'write',
        summary: 'a file from stdin',
        load: async () => (await import('./verbs/fs/write.ts')).verb,
      },
      {
        name: 'ls',
        summary: 'the entries of a directory',
        load: async () => (await import('./verbs/fs/ls.ts')).verb,
      },
      {
        name: 'rm',
        summary: 'remove a file or directory',
        load: async () => (await import('./verbs/fs/rm.ts')).verb,
      },
      {
        name: 'mkdir',
        summary: 'make a directory and those above it',
        load: async () => (await import('./verbs/fs/mkdir.ts')).verb,
      },
      {
        name: 'mv',
        summary: 'rename a file or directory',
        load: async () => (await import('./verbs/fs/mv.ts')).verb,
      },
      {
        name: 'chmod',
        summary: 'change the mode of a file or directory',
        load: async () => (await import('./verbs/fs/chmod.ts')).verb,
      },
    ],
  },
  {
    name: 'push',
    section: FILES,
    summary: 'copy a file, a directory or a tar stream into a sprite',
    load: async () => (await import('./verbs/push.ts')).verb,
  },
  {
    name: 'pull',
    section: FILES,
    summary: 'copy a file or a directory out of a sprite',
    load: async () => (await import('./verbs/pull.ts')).verb,
  },
  {
    name: 'serve',
    section: MACHINE,
    summary: 'the Sprites API, over HTTP and WebSockets',
    load: async () => (await import('./verbs/serve.ts')).verb,
  },
  {
    name: 'doctor',
    section: MACHINE,
    summary: 'what this machine lacks, and the line that mends it',
    load: async () => (await import('./verbs/doctor.ts')).verb,
  },
  {
    name: 'selftest',
    section: MACHINE,
    summary: 'try to get out of a sprite, and say how each attempt ended',
    load: async () => (await import('./verbs/selftest.ts')).verb,
  },
  {
    name: 'gc',
    section: MACHINE,
    summary: 'finish or remove what is half-made or expired',
    load: async () => (await import('./verbs/gc.ts')).verb,
  },
  {
    name: 'engine',
    section: MACHINE,
    summary: 'which engine is used and why, and what it needs',
    load: async () => (await import('./verbs/engine.ts')).verb,
  },
  {
    name: 'login',
    section: CLOUD,
    summary: 'keep a token for a server of the Sprites API',
    load: async () => (await import('./verbs/login.ts')).verb,
  },
  {
    name: 'logout',
    section: CLOUD,
    summary: 'forget it',
    load: async () => (await import('./verbs/logout.ts')).verb,
  },
  {
    name: 'whoami',
    section: CLOUD,
    summary: 'which server, which organization, which token',
    load: async () => (await import('./verbs/whoami.ts')).verb,
  },
  {
    name: 'version',
    section: MACHINE,
    summary: 'engine, protocol and what it can do',
    load: async () => (await import('./verbs/version.ts')).verb,
  },
  {
    name: 'checkpoint',
    section: STATES,
    summary: 'saved states of its files',
    verbs: [
      {
        name: 'create',
        summary: 'keep the files as they are now',
        load: async () => (await import('./verbs/checkpoint/create.ts')).verb,
      },
      {
        name: 'list',
        summary: 'the states that are kept',
        load: async () => (await import('./verbs/checkpoint/list.ts')).verb,
      },
      {
        name: 'restore',
        summary: 'bring a state back',
        load: async () => (await import('./verbs/checkpoint/restore.ts')).verb,
      },
      {
        name: 'delete',
        summary: 'forget a state',
        load: async () => (await import('./verbs/checkpoint/delete.ts')).verb,
      },
    ],
  },
  {
    name: 'fork',
    section: STATES,
    summary: 'a copy of a sprite under a new name',
    load: async () => (await import('./verbs/fork.ts')).verb,
  },
  {
    name: 'ports',
    section: NETWORK,
    summary: 'what listens in a sprite',
    load: async () => (await import('./verbs/ports.ts')).verb,
  },
  {
    name: 'proxy',
    section: NETWORK,
    summary: "tunnels from this machine to a sprite's ports",
    load: async () => (await import('./verbs/proxy.ts')).verb,
  },
  {
    name: 'policy',
    section: NETWORK,
    summary: 'what a sprite may reach, use and do',
    verbs: [
      {
        name: 'get',
        summary: 'the rules in force',
        load: async () => (await import('./verbs/policy/get.ts')).verb,
      },
      {
        name: 'set',
        summary: 'replace the rules',
        load: async () => (await import('./verbs/policy/set.ts')).verb,
      },
      {
        name: 'allow',
        summary: 'add a domain',
        load: async () => (await import('./verbs/policy/allow.ts')).verb,
      },
      {
        name: 'resources',
        summary: 'show or change its limits while it runs',
        load: async () => (await import('./verbs/policy/resources.ts')).verb,
      },
      {
        name: 'privileges',
        summary: 'show or change what its root may do',
        load: async () => (await import('./verbs/policy/privileges.ts')).verb,
      },
    ],
  },
  hidden('egress-proxy', async () => (await import('./verbs/egress.ts')).egressVerb('proxy')),
  hidden('egress-relay', async () => (await import('./verbs/egress.ts')).egressVerb('relay')),
  hidden('port-dialer', async () => (await import('./verbs/port-dialer.ts')).verb),
];

/** Started by the engine itself. */
function hidden(name: string, load: VerbEntry['load']): VerbEntry {
  return { name, summary: 'used by the engine itself', hidden: true, load };
}
