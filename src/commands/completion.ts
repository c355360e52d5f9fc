import { SCRIPTS, SHELLS, type Shell } from './completion/scripts.ts';
import type { WreckitVerb } from './globals.ts';

export const verb: WreckitVerb<Record<never, never>, [shell: Shell]> = {
  define: (command) =>
    command.addArgument(command.createArgument('<shell>', 'whose completion').choices(SHELLS)),
  examples: [
    ['source <(wreckit completion bash)', 'completes in this shell; put it into ~/.bashrc to keep it'],
    ['source <(wreckit completion zsh)', 'the same in zsh, after compinit; put it into ~/.zshrc to keep it'],
    ['wreckit completion fish > ~/.config/fish/completions/wreckit.fish', 'completes in every new fish'],
  ],
  run: async ({ args: [shell] }) => ({ data: { shell, script: SCRIPTS[shell] }, text: SCRIPTS[shell] }),
};
