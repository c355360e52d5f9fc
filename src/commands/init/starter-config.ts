/** The configuration `wreckit init` writes: what a project decides, with a word on each setting. */
import type { InnerAgentConfig } from '../../schemas.ts';

export type StarterKind = InnerAgentConfig['kind'];

export const STARTER_KINDS = [
  'rlm',
  'claude_sdk',
  'codex_sdk',
  'opencode_sdk',
  'amp_sdk',
] as const satisfies readonly StarterKind[];

export function starterConfig(kind: StarterKind, baseBranch: string): string {
  return `// Settings of this project for wreckit; every one there is: .wreckitrc.example of the package.
// What is in force and where it comes from: wreckit config show --origin
{
  "schema_version": 1,
  "base_branch": ${JSON.stringify(baseBranch)},
  "branch_prefix": "wreckit/",

  // The agent works in a sandbox of its own, never on this machine.
  "agent": {
    "kind": "sprite",
    "agent": { "kind": ${JSON.stringify(kind)} },
    "defaultMemory": "512MiB",
    "defaultCPUs": "1",
    "maxVMs": 5,
  },

  // Keys and tokens belong into .wreckit/config.local.json, which git ignores, or into the environment.
}
`;
}
