import { assertSpriteName, quote } from '../../../contract/names.ts';
import { WreckitError } from '../../../errors.ts';
import { createEngine } from '../../create-engine.ts';
import type { WispVerb } from '../../globals.ts';

const PROFILES = ['minimal', 'standard', 'privileged'] as const;
type Profile = (typeof PROFILES)[number];

type Options = {
  readonly profile?: Profile;
};

const NOTES = `
Profiles:
  standard    root can install packages and change owners (the default)
  minimal     root has no capabilities at all
  privileged  refused by the local engine: it would lead out of the sprite

Other users have no capabilities in any profile, and no program can gain any.`;

export const verb: WispVerb<Options, [name: string]> = {
  define: (command) =>
    command
      .argument('<sprite>', 'Name of the sprite', assertSpriteName)
      .option('--profile <name>', 'Profile: minimal or standard', profile)
      .addHelpText('after', NOTES),
  examples: [
    ['wisp policy privileges demo', 'What root may do in it'],
    ['wisp policy privileges demo --profile minimal', 'Refused while a process with more rights runs'],
  ],
  async run({ args: [name], options, signal, ...context }) {
    const part = (await createEngine(context)).policy?.privileges;
    if (part === undefined)
      throw new WreckitError('UNSUPPORTED', 'policy: this engine has no privileges to change');
    if (options.profile !== undefined) {
      await part.set(name, { profile: options.profile, devices: [] }, { signal });
    }
    const inForce = await part.get(name, { signal });
    const { profile: shown, devices, noNewPrivileges = false } = inForce;
    const data = { profile: shown, devices, no_new_privileges: noNewPrivileges };
    return { data: { privileges: data }, text: shown };
  },
};

function profile(text: string): Profile {
  const found = PROFILES.find((name) => name === text);
  if (found !== undefined) return found;
  throw new WreckitError('USAGE', `${quote(text)} is neither "minimal" nor "standard"`);
}
