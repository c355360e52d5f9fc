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
    summary: 'Create a sprite, or wake an existing one',
    load: async () => (await import('./verbs/start.ts')).verb,
  },
  {
    name: 'list',
    section: SPRITES,
    summary: 'List sprites',
    load: async () => (await import('./verbs/list.ts')).verb,
  },
  {
    name: 'info',
    section: SPRITES,
    summary: 'Show a sprite, its sessions and resource usage',
    load: async () => (await import('./verbs/info.ts')).verb,
  },
  {
    name: 'stop',
    section: SPRITES,
    summary: "Stop a sprite's processes, keeping its files",
    load: async () => (await import('./verbs/stop.ts')).verb,
  },
  {
    name: 'wake',
    section: SPRITES,
    summary: 'Wake a sleeping or stopped sprite',
    load: async () => (await import('./verbs/wake.ts')).verb,
  },
  {
    name: 'kill',
    section: SPRITES,
    summary: 'Remove sprites and everything in them',
    load: async () => (await import('./verbs/kill.ts')).verb,
  },
  {
    name: 'exec',
    section: COMMANDS,
    summary: 'Run a command',
    load: async () => (await import('./verbs/exec.ts')).verb,
  },
  {
    name: 'attach',
    section: COMMANDS,
    summary: 'Open a terminal, or reattach to one',
    load: async () => (await import('./verbs/attach.ts')).verb,
  },
  {
    name: 'sessions',
    section: COMMANDS,
    summary: 'List commands, running and finished',
    load: async () => (await import('./verbs/sessions.ts')).verb,
  },
  {
    name: 'logs',
    section: COMMANDS,
    summary: 'Print the output of a command',
    load: async () => (await import('./verbs/logs.ts')).verb,
  },
  {
    name: 'kill-session',
    section: COMMANDS,
    summary: 'Stop a command',
    load: async () => (await import('./verbs/kill-session.ts')).verb,
  },
  {
    name: 'service',
    section: COMMANDS,
    summary: 'Manage commands that are kept running',
    verbs: [
      {
        name: 'add',
        summary: 'Declare a service and start it',
        load: async () => (await import('./verbs/service/add.ts')).verb,
      },
      {
        name: 'list',
        summary: 'List services and their status',
        load: async () => (await import('./verbs/service/list.ts')).verb,
      },
      {
        name: 'start',
        summary: 'Start a service and what it needs',
        load: async () => (await import('./verbs/service/start.ts')).verb,
      },
      {
        name: 'stop',
        summary: 'Stop a service until it is started again',
        load: async () => (await import('./verbs/service/stop.ts')).verb,
      },
      {
        name: 'restart',
        summary: 'Restart a service',
        load: async () => (await import('./verbs/service/restart.ts')).verb,
      },
      {
        name: 'signal',
        summary: 'Send a signal to a service',
        load: async () => (await import('./verbs/service/signal.ts')).verb,
      },
      {
        name: 'rm',
        summary: 'Stop and remove a service',
        load: async () => (await import('./verbs/service/rm.ts')).verb,
      },
      {
        name: 'logs',
        summary: 'Print the output of a service',
        load: async () => (await import('./verbs/service/logs.ts')).verb,
      },
    ],
  },
  {
    name: 'fs',
    section: FILES,
    summary: 'Read and change files in a sprite',
    verbs: [
      {
        name: 'read',
        summary: 'Print a file',
        load: async () => (await import('./verbs/fs/read.ts')).verb,
      },
      {
        name: 'write',
        summary: 'Write stdin to a file',
        load: async () => (await import('./verbs/fs/write.ts')).verb,
      },
      {
        name: 'ls',
        summary: 'List a directory',
        load: async () => (await import('./verbs/fs/ls.ts')).verb,
      },
      {
        name: 'rm',
        summary: 'Remove a file or directory',
        load: async () => (await import('./verbs/fs/rm.ts')).verb,
      },
      {
        name: 'mkdir',
        summary: 'Create a directory and its parents',
        load: async () => (await import('./verbs/fs/mkdir.ts')).verb,
      },
      {
        name: 'mv',
        summary: 'Rename a file or directory',
        load: async () => (await import('./verbs/fs/mv.ts')).verb,
      },
      {
        name: 'chmod',
        summary: 'Change the mode of a file or directory',
        load: async () => (await import('./verbs/fs/chmod.ts')).verb,
      },
    ],
  },
  {
    name: 'push',
    section: FILES,
    summary: 'Copy a file, a directory or a tar stream into a sprite',
    load: async () => (await import('./verbs/push.ts')).verb,
  },
  {
    name: 'pull',
    section: FILES,
    summary: 'Copy a file or a directory out of a sprite',
    load: async () => (await import('./verbs/pull.ts')).verb,
  },
  {
    name: 'serve',
    section: MACHINE,
    summary: 'Serve the Sprites API over HTTP and WebSockets',
    load: async () => (await import('./verbs/serve.ts')).verb,
  },
  {
    name: 'doctor',
    section: MACHINE,
    summary: 'Check this machine and print fixes',
    load: async () => (await import('./verbs/doctor.ts')).verb,
  },
  {
    name: 'selftest',
    section: MACHINE,
    summary: 'Try to break out of a sprite and report each attempt',
    load: async () => (await import('./verbs/selftest.ts')).verb,
  },
  {
    name: 'gc',
    section: MACHINE,
    summary: 'Clean up what is half-made or expired',
    load: async () => (await import('./verbs/gc.ts')).verb,
  },
  {
    name: 'engine',
    section: MACHINE,
    summary: 'Explain which engine is used, why, and what it needs',
    load: async () => (await import('./verbs/engine.ts')).verb,
  },
  {
    name: 'login',
    section: CLOUD,
    summary: 'Log in to a server of the Sprites API',
    load: async () => (await import('./verbs/login.ts')).verb,
  },
  {
    name: 'logout',
    section: CLOUD,
    summary: 'Forget the stored token',
    load: async () => (await import('./verbs/logout.ts')).verb,
  },
  {
    name: 'whoami',
    section: CLOUD,
    summary: 'Show the server, organization and token in use',
    load: async () => (await import('./verbs/whoami.ts')).verb,
  },
  {
    name: 'version',
    section: MACHINE,
    summary: 'Show engine, protocol and capabilities',
    load: async () => (await import('./verbs/version.ts')).verb,
  },
  {
    name: 'checkpoint',
    section: STATES,
    summary: "Save and restore a sprite's files",
    verbs: [
      {
        name: 'create',
        summary: 'Save the files as they are now',
        load: async () => (await import('./verbs/checkpoint/create.ts')).verb,
      },
      {
        name: 'list',
        summary: 'List checkpoints',
        load: async () => (await import('./verbs/checkpoint/list.ts')).verb,
      },
      {
        name: 'restore',
        summary: 'Restore a checkpoint',
        load: async () => (await import('./verbs/checkpoint/restore.ts')).verb,
      },
      {
        name: 'delete',
        summary: 'Delete a checkpoint',
        load: async () => (await import('./verbs/checkpoint/delete.ts')).verb,
      },
    ],
  },
  {
    name: 'fork',
    section: STATES,
    summary: 'Copy a sprite under a new name',
    load: async () => (await import('./verbs/fork.ts')).verb,
  },
  {
    name: 'ports',
    section: NETWORK,
    summary: 'List listening ports',
    load: async () => (await import('./verbs/ports.ts')).verb,
  },
  {
    name: 'proxy',
    section: NETWORK,
    summary: 'Forward local ports to a sprite',
    load: async () => (await import('./verbs/proxy.ts')).verb,
  },
  {
    name: 'policy',
    section: NETWORK,
    summary: 'Show or change what a sprite may reach, use and do',
    verbs: [
      {
        name: 'get',
        summary: 'Show the network rules',
        load: async () => (await import('./verbs/policy/get.ts')).verb,
      },
      {
        name: 'set',
        summary: 'Replace the network rules',
        load: async () => (await import('./verbs/policy/set.ts')).verb,
      },
      {
        name: 'allow',
        summary: 'Allow a domain',
        load: async () => (await import('./verbs/policy/allow.ts')).verb,
      },
      {
        name: 'resources',
        summary: 'Show or change resource limits',
        load: async () => (await import('./verbs/policy/resources.ts')).verb,
      },
      {
        name: 'privileges',
        summary: 'Show or change what root may do in it',
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
  return { name, summary: 'Used by the engine itself', hidden: true, load };
}
