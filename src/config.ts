/**
 * The configuration, layered (docs/configuration.md), each layer over the one before:
 *
 *   built-in defaults → ~/.wreckitrc → .wreckit/config.json → .wreckitrc → .wreckit/config.local.json
 *     → environment → flags
 *
 * A file that can't be read or isn't valid stops the program (`CONFIG_INVALID`); nothing ever falls back to
 * the defaults, above all not to an agent without a sandbox. Where no layer says anything, neither the JSON
 * parser nor the schema library is loaded.
 */
import { kindOf } from './config/agent-form.ts';
import { DEFAULT_CONFIG, DEFAULT_SPRITE_AGENT } from './config/defaults.ts';
import {
  DEFAULT_ORIGIN,
  isJsonObject,
  type KeyPath,
  type Layer,
  layerOfValues,
  type Origin,
  type SingleValue,
} from './config/layer.ts';
import { type Merged, mergeLayers } from './config/merge.ts';
import { type ConfigFile, configSources, type LoadConfigOptions, type Sources } from './config/sources.ts';
import {
  type SpritesToken,
  tokenOfAgent,
  tokenOfEnvironment,
  withoutSpriteToken,
  withoutToken,
} from './config/token.ts';
import { absoluteWispPath, type PathBase } from './config/wisp-path.ts';
import type { AgentConfigUnion, SpriteAgentConfig, WreckitConfig } from './schemas.ts';

export type { Origin } from './config/layer.ts';
export type { ConfigFile, FlagValue, LoadConfigOptions } from './config/sources.ts';
export type { SpritesToken } from './config/token.ts';

export interface IgnoredSetting {
  readonly path: KeyPath;
  readonly reason: string;
  readonly origin: Origin;
}

export interface LoadedConfig {
  /** Without the sprites token: it is nowhere an agent could see it. */
  readonly config: WreckitConfig;
  /** How sprites are made, whatever the agent: wispPath, maxVMs, default limits, timeout (seconds). */
  readonly sprite: SpriteAgentConfig;
  /** For `wisp` alone. */
  readonly spritesToken: SpritesToken | null;
  readonly projectRoot: string;
  /** The files that were there, lowest layer first. */
  readonly files: readonly ConfigFile[];
  readonly ignored: readonly IgnoredSetting[];
  /** What the user should hear: ignored settings, unknown variables. */
  readonly notices: readonly string[];
  readonly originOf: (path: KeyPath) => Origin;
  /** Of a setting of `sprite`. */
  readonly spriteOriginOf: (path: KeyPath) => Origin;
  /** `.wreckit/config.json:3`, `WRECKIT_AGENT`, `--agent`, `default`. */
  readonly labelOf: (origin: Origin) => string;
}

/** Throws `CONFIG_INVALID` with file, line and reason. */
export async function loadConfig(options: LoadConfigOptions): Promise<LoadedConfig> {
  const sources = configSources(options);
  const tokenAround = tokenOfEnvironment(options.env);
  const { files, environment, flags } = sources;
  const isBare =
    files.length + environment.values.length + environment.spriteValues.length + flags.length === 0;
  return isBare ? builtIn(sources, tokenAround) : await layered(sources, tokenAround);
}

function builtIn(sources: Sources, spritesToken: SpritesToken | null): LoadedConfig {
  return {
    config: structuredClone(DEFAULT_CONFIG),
    sprite: structuredClone(DEFAULT_SPRITE_AGENT),
    spritesToken,
    projectRoot: sources.projectRoot,
    files: [],
    ignored: [],
    notices: sources.environment.notices,
    originOf: () => DEFAULT_ORIGIN,
    spriteOriginOf: () => DEFAULT_ORIGIN,
    labelOf: (origin) => originLabel(origin, []),
  };
}

async function layered(sources: Sources, tokenAround: SpritesToken | null): Promise<LoadedConfig> {
  const [{ readJsonFile }, { validateLayers, validateSprite }] = await Promise.all([
    import('./config/json-file.ts'),
    import('./config/validate.ts'),
  ]);
  const { files, environment, flags } = sources;
  const labelOf = (origin: Origin): string => originLabel(origin, files);
  const fileLayers = files.map(({ path, label }) => readJsonFile(path, label));
  const flagLayer = layerOfValues(flags);
  const kind = agentKind([...fileLayers, layerOfValues(environment.values), flagLayer]);
  const variables = [...environment.values, ...valuesForAgent(environment.spriteValues, kind)];
  const layers = [...fileLayers, layerOfValues(variables), flagLayer].filter(isNotEmpty);
  const { config, merged, ignored } = validateLayers(layers, labelOf);
  const originOf = originLookup(merged);
  const agent = locatedAgent(config.agent, originOf, sources);
  const spriteLayer = layerOfValues(environment.spriteValues.map((value) => locatedValue(value, sources)));
  const sprite = agent.kind === 'sprite' ? agent : validateSprite(wispPathOf(agent), spriteLayer, labelOf);
  const ignoredSettings = ignored.map(({ path, reason }) => ({ path, reason, origin: originOf(path) }));
  return {
    config: { ...config, agent: withoutToken(agent) },
    sprite: withoutSpriteToken(sprite),
    spritesToken: tokenAround ?? tokenOfAgent(agent, originOf),
    projectRoot: sources.projectRoot,
    files,
    ignored: ignoredSettings,
    notices: [...environment.notices, ...ignoredSettings.map((setting) => ignoredNotice(setting, labelOf))],
    originOf,
    spriteOriginOf: (path) => {
      const isOfAgent = agent.kind === 'sprite' || (agent.kind === 'rlm' && path[0] === 'wispPath');
      return isOfAgent ? originOf(['agent', ...path]) : spriteLayer.originOf(path);
    },
    labelOf,
  };
}

function locatedAgent(
  agent: AgentConfigUnion,
  originOf: (path: KeyPath) => Origin,
  base: PathBase,
): AgentConfigUnion {
  if (agent.kind !== 'sprite' && agent.kind !== 'rlm') return agent;
  if (agent.wispPath === undefined) return agent;
  return { ...agent, wispPath: absoluteWispPath(agent.wispPath, originOf(['agent', 'wispPath']), base) };
}

function locatedValue(single: SingleValue, base: PathBase): SingleValue {
  const { path, value, origin } = single;
  if (path[0] !== 'wispPath' || typeof value !== 'string') return single;
  return { ...single, value: absoluteWispPath(value, origin, base) };
}

/** The kind of agent that all layers together ask for. */
function agentKind(layers: readonly Layer[]): unknown {
  const { agent } = mergeLayers(layers).value;
  return (isJsonObject(agent) ? kindOf(agent) : null) ?? DEFAULT_CONFIG.agent.kind;
}

/** Of the variables on sprites those that belong to an agent of this kind, as its settings. */
function valuesForAgent(spriteValues: readonly SingleValue[], kind: unknown): SingleValue[] {
  return spriteValues
    .filter(({ path }) => kind === 'sprite' || (kind === 'rlm' && path[0] === 'wispPath'))
    .map((single) => ({ ...single, path: ['agent', ...single.path] }));
}

function wispPathOf(agent: AgentConfigUnion): { wispPath?: string } {
  return agent.kind === 'rlm' && agent.wispPath !== undefined ? { wispPath: agent.wispPath } : {};
}

function isNotEmpty(layer: Layer): boolean {
  return Object.keys(layer.value).length > 0;
}

function originLookup(merged: Merged): (path: KeyPath) => Origin {
  const valueAt = (path: KeyPath): unknown => {
    let value: unknown = merged.value;
    for (const key of path) value = isJsonObject(value) ? value[key] : undefined;
    return value;
  };
  return (path) => {
    const around = path.slice(0, -1);
    // The older form names no kind: it is where the key stands that tells it.
    const isToldByForm = path.at(-1) === 'kind' && valueAt(path) === undefined;
    const telling = ['mode', 'command'].map((key) => [...around, key]);
    const place = isToldByForm ? telling.find((candidate) => valueAt(candidate) !== undefined) : path;
    if (place === undefined || valueAt(place) === undefined) return DEFAULT_ORIGIN;
    return merged.layerOf(place)?.originOf(place) ?? DEFAULT_ORIGIN;
  };
}

function originLabel({ kind, source, line }: Origin, files: readonly ConfigFile[]): string {
  if (source === null) return kind;
  if (kind !== 'file') return source;
  const label = files.find(({ path }) => path === source)?.label ?? source;
  return line === null ? label : `${label}:${line}`;
}

function ignoredNotice(
  { path, reason, origin }: IgnoredSetting,
  labelOf: (origin: Origin) => string,
): string {
  return `${labelOf(origin)}: ${path.join('.')} is ignored: ${reason}`;
}
