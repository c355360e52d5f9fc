/**
 * Where a sprite's services are kept, `services/<service>/` below the sprite's directory, mode 0700.
 *
 *   spec.json        what was declared; written first, before anything of it runs
 *   down             there while nobody wants it to run
 *   state, events    by the supervisor: see service-state.ts, journal.ts
 *   pid, status, out, err, copiers, runtime.log   of the supervisor alone
 *
 * Their logs are in `service-logs/<service>/`, which the sprite can read at SERVICE_LOGS.
 */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isServiceName } from '../../../contract/names.ts';
import { errnoOf, WreckitError } from '../../../errors.ts';
import { readJsonFile, writeJsonFile } from '../../json-file.ts';
import type { ServiceSpec } from '../../services.ts';

interface SpecRecord extends ServiceSpec {
  readonly version: 1;
}

function servicesDir(spriteDir: string): string {
  return join(spriteDir, 'services');
}

/** Where there are none, a sprite comes up and goes down without a look at them. */
export function hasServices(spriteDir: string): boolean {
  return existsSync(servicesDir(spriteDir));
}

export function serviceDir(spriteDir: string, service: string): string {
  return join(servicesDir(spriteDir), service);
}

function serviceLogsDir(spriteDir: string): string {
  return join(spriteDir, 'service-logs');
}

export function logsOf(spriteDir: string, service: string): string {
  return join(serviceLogsDir(spriteDir), service);
}

/** Holds whoever changes this one service; no service's name begins with a dot. */
export function serviceLockFile(spriteDir: string, service: string): string {
  return join(servicesDir(spriteDir), `.${service}.lock`);
}

/** Holds whoever changes which services there are, and what they need. */
export function declarationsLockFile(spriteDir: string): string {
  return join(servicesDir(spriteDir), '.declarations');
}

export function makeServicesDir(spriteDir: string): void {
  mkdirSync(servicesDir(spriteDir), { recursive: true, mode: 0o700 });
}

/** In order of their names. */
export function serviceNames(spriteDir: string): string[] {
  try {
    return readdirSync(servicesDir(spriteDir)).filter(isServiceName).sort();
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}

/** Null: there is none of this name. Throws `INTERNAL` for a record that can't be read. */
export function readSpec(spriteDir: string, service: string): ServiceSpec | null {
  const path = join(serviceDir(spriteDir, service), 'spec.json');
  let value: unknown;
  try {
    value = readJsonFile(path);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return null;
    throw error;
  }
  if (!isSpec(value)) throw new WreckitError('INTERNAL', `service record: ${path} is not one of version 1`);
  const { command, dir, env, needs, httpPort, user } = value;
  return { command, dir, env, needs, httpPort, user };
}

/** What can't be read is left out: it must not stand in the way of the others. */
export function readSpecs(spriteDir: string): Map<string, ServiceSpec> {
  const specs = new Map<string, ServiceSpec>();
  for (const name of serviceNames(spriteDir)) {
    const spec = readSpecOrNull(spriteDir, name);
    if (spec !== null) specs.set(name, spec);
  }
  return specs;
}

function readSpecOrNull(spriteDir: string, service: string): ServiceSpec | null {
  try {
    return readSpec(spriteDir, service);
  } catch (error) {
    if (error instanceof WreckitError) return null;
    throw error;
  }
}

export function writeSpec(spriteDir: string, service: string, spec: ServiceSpec): void {
  mkdirSync(serviceDir(spriteDir, service), { recursive: true, mode: 0o700 });
  const record: SpecRecord = { version: 1, ...spec };
  writeJsonFile(join(serviceDir(spriteDir, service), 'spec.json'), record);
}

/** Whether somebody wants it to run; without its `down` file a declared service is. */
export function isWanted(spriteDir: string, service: string): boolean {
  return !statSync(downFile(spriteDir, service), { throwIfNoEntry: false });
}

export function setWanted(spriteDir: string, service: string, wanted: boolean): void {
  if (wanted) rmSync(downFile(spriteDir, service), { force: true });
  else writeFileSync(downFile(spriteDir, service), '', { mode: 0o600 });
}

function downFile(spriteDir: string, service: string): string {
  return join(serviceDir(spriteDir, service), 'down');
}

/** Gone in one step, with its logs. */
export function removeServiceDir(spriteDir: string, service: string): void {
  const grave = join(servicesDir(spriteDir), `.gone-${Math.random().toString(36).slice(2, 10)}`);
  renameSync(serviceDir(spriteDir, service), grave);
  rmSync(logsOf(spriteDir, service), { recursive: true, force: true });
  rmSync(grave, { recursive: true, force: true });
}

/** What a removal left that was interrupted. */
export function removeGraves(spriteDir: string): void {
  const graves = readdirSync(servicesDir(spriteDir)).filter((name) => name.startsWith('.gone-'));
  for (const name of graves) rmSync(join(servicesDir(spriteDir), name), { recursive: true, force: true });
}

function isSpec(value: unknown): value is SpecRecord {
  if (typeof value !== 'object' || value === null) return false;
  const spec = value as Partial<Record<keyof SpecRecord, unknown>>;
  const isTexts = (list: unknown): boolean =>
    Array.isArray(list) && list.every((text) => typeof text === 'string');
  return (
    spec.version === 1 &&
    isTexts(spec.command) &&
    isTexts(spec.needs) &&
    (spec.dir === undefined || typeof spec.dir === 'string') &&
    (spec.env === undefined || (typeof spec.env === 'object' && spec.env !== null)) &&
    (spec.httpPort === null || typeof spec.httpPort === 'number') &&
    (spec.user === undefined || spec.user === 'sprite' || spec.user === 'root')
  );
}
