import { renderTable } from '../cli/table.ts';
import type { TextFormat } from '../cli/verb.ts';
import { PROVIDER_KEYS, variableOrigin } from '../config/environment.ts';
import { REDACTED, redacted } from '../config/redact.ts';
import type { LoadedConfig, Origin } from '../config.ts';
import { configOf } from './context.ts';
import type { WreckitVerb } from './globals.ts';

interface Setting {
  readonly path: readonly string[];
  /** Without secrets. */
  readonly value: unknown;
  readonly origin: Origin;
}

export const verb: WreckitVerb<{ origin?: boolean }> = {
  define: (command) => command.option('--origin', 'Show the file, variable or flag each value comes from'),
  examples: [
    ['wreckit config show', 'The configuration in force, secrets hidden'],
    ['wreckit config show --origin', 'Each value with the file and line it comes from'],
    ['wreckit config show --json --config other.json', 'What another file would give'],
  ],
  async run(context) {
    const loaded = await configOf(context);
    for (const notice of loaded.notices) await context.warn(notice);
    const settings = [...settingsOf(loaded), ...secretsOf(loaded, context.io.env)];
    const data = {
      project_root: loaded.projectRoot,
      files: loaded.files.map(({ path }) => path),
      config: redacted(loaded.config),
      sprite: redacted(loaded.sprite),
      ignored: loaded.ignored.map(({ path, reason, origin }) => ({
        key: path.join('.'),
        reason,
        origin: origin.source,
      })),
      notices: loaded.notices,
      ...(context.options.origin === true ? { values: settings.map(valueData) } : {}),
    };
    if (context.options.origin !== true) return { data, text: JSON.stringify(data.config, null, 2) };
    return { data, text: (format) => originTable(settings, loaded, format) };
  },
};

function valueData({ path, value, origin }: Setting): object {
  const { kind, source, line } = origin;
  return { key: path.join('.'), value, origin: { kind, source, line } };
}

function settingsOf(loaded: LoadedConfig): Setting[] {
  const settings = leavesOf(loaded.config, []).map(([path, value]) =>
    setting(path, value, loaded.originOf(path)),
  );
  if (loaded.config.agent.kind === 'sprite') return settings;
  // How sprites are made is in force with every agent: for `wreckit sprite`.
  const { agent: _, kind: __, ...sprite } = loaded.sprite;
  const forSprites = leavesOf(sprite, ['sprite']).map(([path, value]) =>
    setting(path, value, loaded.spriteOriginOf(path.slice(1))),
  );
  return [...settings, ...forSprites];
}

function setting(path: readonly string[], value: unknown, origin: Origin): Setting {
  return { path, value: redacted(value, path), origin };
}

function secretsOf(
  { spritesToken }: LoadedConfig,
  env: Readonly<Record<string, string | undefined>>,
): Setting[] {
  const token =
    spritesToken === null ? [] : [{ path: ['sprites token'], value: REDACTED, origin: spritesToken.origin }];
  const keys = PROVIDER_KEYS.filter((name) => env[name]);
  return [...token, ...keys.map((name) => ({ path: [name], value: REDACTED, origin: variableOrigin(name) }))];
}

function leavesOf(value: object, path: readonly string[]): [path: readonly string[], value: unknown][] {
  return Object.entries(value).flatMap(([key, item]): [readonly string[], unknown][] => {
    const isObject = typeof item === 'object' && item !== null && !Array.isArray(item);
    return isObject ? leavesOf(item, [...path, key]) : [[[...path, key], item]];
  });
}

function originTable(settings: readonly Setting[], { labelOf }: LoadedConfig, format: TextFormat): string {
  const columns = [{ header: 'SETTING' }, { header: 'VALUE', canShrink: true }, { header: 'FROM' }];
  const rows = settings.map(({ path, value, origin }) => [
    path.join('.'),
    typeof value === 'string' ? value : JSON.stringify(value),
    labelOf(origin),
  ]);
  return renderTable(columns, rows, format);
}
