/**
 * Services in the life of their sprite: started when it comes up, let go of before it is taken down, declared in
 * its copies. Whoever calls these holds the sprite's lock.
 */
import type { RunningSprite } from '../inside.ts';
import { inOrder } from './declarations.ts';
import {
  isWanted,
  makeServicesDir,
  readSpecs,
  removeGraves,
  serviceDir,
  serviceNames,
  setWanted,
  writeSpec,
} from './service-dir.ts';
import { clearState, isSupervised, readState } from './service-state.ts';
import { RESTART_RULES, type RestartRules, startSupervisor } from './start-supervisor.ts';
import { killSupervisor } from './stop-service.ts';

/**
 * Starts what somebody wants to run, and what that needs; each waits by itself for its needs. One that can't be
 * started keeps the sprite from nothing: its state says so.
 */
export async function startDeclared(
  sprite: RunningSprite,
  rules: RestartRules = RESTART_RULES,
): Promise<void> {
  removeGraves(sprite.dir);
  // Those of a life that ended without a word may not have noticed yet.
  standDown(sprite.dir);
  const names = serviceNames(sprite.dir);
  // What they say is of the time before.
  for (const name of names) clearState(serviceDir(sprite.dir, name));
  const specs = readSpecs(sprite.dir);
  const wanted = [...specs.keys()].filter((name) => isWanted(sprite.dir, name));
  const starts = inOrder(specs, wanted).map(async (service) => {
    const spec = specs.get(service);
    if (spec === undefined) return;
    setWanted(sprite.dir, service, true);
    await startSupervisor({ sprite, service, spec, rules, isAdopting: false });
  });
  await Promise.allSettled(starts);
}

/** Nothing is started again from here on; what runs inside is not touched. */
export function standDown(spriteDir: string): void {
  for (const name of serviceNames(spriteDir)) {
    const state = readState(serviceDir(spriteDir, name));
    if (isSupervised(state)) killSupervisor(state);
  }
}

/** Declares the services of one sprite in another that is made from it; what is wanted there is wanted here. */
export function copyDeclarations(from: string, to: string): void {
  makeServicesDir(to);
  for (const [service, spec] of readSpecs(from)) {
    writeSpec(to, service, spec);
    if (!isWanted(from, service)) setWanted(to, service, false);
  }
}
