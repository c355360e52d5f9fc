/** Tools over the real local engine, with a project on this machine: `await using kit = await toolKit();`. */
import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Budget, type BudgetLimits } from '../../../agent/rlm/budget.ts';
import type { ProjectAccess } from '../../../agent/rlm/project-access.ts';
import { SpriteScope, type SpriteScopeOptions } from '../../../agent/rlm/sprite-scope.ts';
import { buildToolRegistry, type ToolRegistry } from '../../../agent/rlm-tools.ts';
import { SpriteRunner } from '../../../agent/sprite-runner.ts';
import { packageRoot } from '../../../package-root.ts';
import { type TempDir, tempDir } from '../../helpers/temp-dir.ts';

export interface ToolKit extends AsyncDisposable {
  readonly dir: TempDir;
  readonly env: Record<string, string>;
  readonly project: string;
  readonly client: SpriteRunner;
  readonly scope: SpriteScope;
  readonly budget: Budget;
  readonly registry: ToolRegistry;
  /** The answer of a tool; anything may be in it. */
  // biome-ignore lint/suspicious/noExplicitAny: a test looks into the answer as it likes
  call(tool: string, args: unknown, signal?: AbortSignal): Promise<any>;
}

export interface ToolKitOptions {
  readonly limits?: BudgetLimits;
  readonly scope?: Partial<SpriteScopeOptions>;
  readonly pull?: ProjectAccess['pull'];
}

export function toolKit({ limits, scope: more, pull = 'apply' }: ToolKitOptions = {}): ToolKit {
  const dir = tempDir();
  const env = { ...definedEnv(), WISP_HOME: dir.join('wisp'), XDG_STATE_HOME: dir.join('state') };
  const project = dir.join('project');
  mkdirSync(project);
  cpSync(join(packageRoot(), 'fixtures', 'project'), project, { recursive: true });
  const client = new SpriteRunner({ env });
  const budget = new Budget(limits);
  const scope = new SpriteScope({ client, owner: 'tree-1', budget, ...more });
  const registry = buildToolRegistry(undefined, { sprites: { scope, project: { root: project, pull } } });
  return {
    dir,
    env,
    project,
    client,
    scope,
    budget,
    registry,
    call: async (name, args, signal) => {
      const tool = registry.get(name);
      if (tool === undefined) throw new Error(`no tool ${name}`);
      return await tool.call(args, { signal });
    },
    [Symbol.asyncDispose]: async () => {
      const names = (await client.list()).map((sprite) => sprite.name);
      if (names.length > 0) await client.kill(names);
      dir[Symbol.dispose]();
    },
  };
}

export function definedEnv(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
  );
}
