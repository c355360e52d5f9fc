import { SCRIPTS, SHELLS, type Shell } from './completion/scripts.ts';
import type { WreckitVerb } from './globals.ts';

export const verb: WreckitVerb<Record<never, never>, [shell: Shell]> = {
  define: (command) =>
    command.addArgument(command.createArgument('<shell>', 'whose completion').choices(SHELLS)),
  examples: [
    ['source <(wreckit completion bash)', 'Complete in this shell; add it to ~/.bashrc to keep it'],
    ['source <(wreckit completion zsh)', 'The same in zsh, after compinit; add it to ~/.zshrc to keep it'],
    ['wreckit completion fish > ~/.config/fish/completions/wreckit.fish', 'Complete in every new fish'],
  ],
  run: async ({ args: [shell] }) => ({ data: { shell, script: SCRIPTS[shell] }, text: SCRIPTS[shell] }),
};
