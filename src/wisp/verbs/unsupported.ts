import type { VerbModule } from '../../cli/verb.ts';
import { WreckitError } from '../../errors.ts';

/** A verb of the contract that this engine has not: any arguments, always `UNSUPPORTED`, nothing done. */
export function unsupported(name: string): VerbModule {
  return {
    define: (command) =>
      command
        .argument('[arguments...]', 'whatever the verb takes')
        .allowUnknownOption()
        .allowExcessArguments(),
    examples: [[`wisp ${name} --json`, 'answers UNSUPPORTED, exit code 9']],
    async run() {
      throw new WreckitError('UNSUPPORTED', `${name}: the local engine of this wisp does not do this`);
    },
  };
}
