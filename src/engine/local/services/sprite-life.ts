/** What happens to services when something happens to their sprite; of no cost where there are none. */
import type { RunningSprite } from '../inside.ts';
import { hasServices } from './service-dir.ts';
import type { RestartRules } from './start-supervisor.ts';

/** It has come up. The caller holds the sprite's lock. */
export async function startServices(sprite: RunningSprite, rules: RestartRules | undefined): Promise<void> {
  if (!hasServices(sprite.dir)) return;
  const { startDeclared } = await import('./boot-services.ts');
  await startDeclared(sprite, rules);
}

/** It is about to be taken down. The caller holds the sprite's lock. */
export async function letGoOfServices(spriteDir: string): Promise<void> {
  if (!hasServices(spriteDir)) return;
  const { standDown } = await import('./boot-services.ts');
  standDown(spriteDir);
}

/** Another one is made from it. */
export async function copyServices(from: string, to: string): Promise<void> {
  if (!hasServices(from)) return;
  const { copyDeclarations } = await import('./boot-services.ts');
  copyDeclarations(from, to);
}
