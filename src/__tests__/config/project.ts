import { onTestFinished } from 'bun:test';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type LoadConfigOptions, type LoadedConfig, loadConfig } from '../../config.ts';
import { WreckitError } from '../../errors.ts';
import { tempDir } from '../helpers/temp-dir.ts';

export interface Project {
  readonly root: string;
  readonly home: string;
  write(name: string, content: unknown): string;
  load(options?: Partial<LoadConfigOptions>): Promise<LoadedConfig>;
  /** The error of loading; fails where there is none. */
  refusal(options?: Partial<LoadConfigOptions>): Promise<WreckitError>;
}

/** A project with a home of its own, gone at the end of the test. Files below `~/` go to the home; objects are written as JSON. */
export function project(files: Readonly<Record<string, unknown>> = {}): Project {
  const top = tempDir();
  onTestFinished(() => top[Symbol.dispose]());
  const root = top.join('project');
  const home = top.join('home');
  mkdirSync(root);
  mkdirSync(home);
  const write = (name: string, content: unknown): string => {
    const path = name.startsWith('~/') ? join(home, name.slice(2)) : join(root, name);
    mkdirSync(dirname(path), { recursive: true });
    const bytes =
      typeof content === 'string' || content instanceof Uint8Array ? content : JSON.stringify(content);
    writeFileSync(path, bytes);
    return path;
  };
  for (const [name, content] of Object.entries(files)) write(name, content);
  const load = (options: Partial<LoadConfigOptions> = {}): Promise<LoadedConfig> =>
    loadConfig({ cwd: root, ...options, env: { HOME: home, ...options.env } });
  return {
    root,
    home,
    write,
    load,
    async refusal(options) {
      try {
        await load(options);
      } catch (error) {
        if (error instanceof WreckitError) return error;
        throw error;
      }
      throw new Error('the configuration was not refused');
    },
  };
}

export const CONFIG = '.wreckit/config.json';
export const LOCAL = '.wreckit/config.local.json';
