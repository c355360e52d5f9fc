/** Merged layers against the schemas: the configuration, or `CONFIG_INVALID` that names file, line and reason. */
import { WreckitError } from '../errors.ts';
import {
  type SpriteAgentConfig,
  SpriteAgentSchema,
  type WreckitConfig,
  WreckitConfigSchema,
} from '../schemas.ts';
import { completeAgent, type IgnoredKey } from './agent-form.ts';
import { type Fault, faultsOf } from './faults.ts';
import { keysAt, UNUSED_KEYS, withoutEffect } from './keys.ts';
import { DEFAULT_ORIGIN, isJsonObject, type JsonObject, type Layer, type Origin } from './layer.ts';
import { type Merged, mergeLayers } from './merge.ts';

export interface ValidConfig {
  readonly config: WreckitConfig;
  readonly merged: Merged;
  readonly ignored: readonly IgnoredKey[];
}

/** How an origin is called in a message: `.wreckit/config.json:3`, `WRECKIT_AGENT`, `--agent`. */
export type OriginLabel = (origin: Origin) => string;

/** zod would compile a parser for each schema, which takes longer than the one use of it. */
const PARSE_ONCE = { jitless: true };

/** Each layer is checked on top of those below it, so that no file's fault hides behind a higher one. */
export function validateLayers(layers: readonly Layer[], labelOf: OriginLabel): ValidConfig {
  for (let count = 1; count < layers.length; count += 1) {
    const stage = check(layers.slice(0, count), labelOf);
    // What is missing here a higher layer may bring.
    refuse(
      stage.faults.filter(({ isMissing }) => !isMissing),
      stage.merged,
      labelOf,
    );
  }
  const { merged, ignored, faults, config } = check(layers, labelOf);
  refuse(faults, merged, labelOf);
  if (config === undefined) throw new WreckitError('INTERNAL', 'config: refused without a reason');
  return { config, merged, ignored };
}

interface Checked {
  readonly merged: Merged;
  readonly ignored: readonly IgnoredKey[];
  readonly faults: readonly Fault[];
  readonly config: WreckitConfig | undefined;
}

function check(layers: readonly Layer[], labelOf: OriginLabel): Checked {
  const merged = mergeLayers(layers);
  const { value, ignored } = prepared(merged, labelOf);
  const { data, error } = WreckitConfigSchema.safeParse(value, PARSE_ONCE);
  const faults = faultsOf(error?.issues ?? [], value, (path) => keysAt(value, path));
  const idle = data === undefined ? [] : withoutEffect(data);
  return { merged, ignored: [...ignored, ...idle], faults, config: data };
}

function refuse(faults: readonly Fault[], merged: Merged, labelOf: OriginLabel): void {
  if (faults.length > 0) throw configError(faults, (path) => originNear(merged, path), labelOf);
}

/** The settings in the one form the schema knows, without the keys this program has no use for. */
function prepared(merged: Merged, labelOf: OriginLabel): { value: JsonObject; ignored: IgnoredKey[] } {
  const value: JsonObject = { ...merged.value };
  const ignored: IgnoredKey[] = [];
  if (isJsonObject(value.agent)) {
    const complete = completeAgent(value.agent, ['agent']);
    value.agent = complete.agent;
    ignored.push(...complete.ignored);
  }
  refuseLostSandbox(value, merged, labelOf);
  for (const key of UNUSED_KEYS) {
    if (value[key] === undefined) continue;
    delete value[key];
    ignored.push({ path: [key], reason: 'this program has no use for it' });
  }
  return { value, ignored };
}

/** `compute.backend: "sprites"` asks for a sandbox: ignoring it would put the agent on the host. */
function refuseLostSandbox(value: JsonObject, merged: Merged, labelOf: OriginLabel): void {
  if (!isJsonObject(value.compute) || value.compute.backend !== 'sprites') return;
  const { agent } = value;
  if (!isJsonObject(agent) || agent.kind === 'sprite' || (agent.kind === 'rlm' && agent.sandbox === true))
    return;
  const path = ['compute', 'backend'];
  const message = `compute.backend: "sprites" asks for a sandbox, which an agent of kind "${String(agent.kind)}" has not`;
  const hint = 'wrap the agent: "agent": {"kind": "sprite", "agent": {…}}';
  refuse([{ path, message, hint, isMissing: false }], merged, labelOf);
}

/** How sprites are made whatever the agent: the settings of a sprite agent, else defaults under `layer`. */
export function validateSprite(
  agent: SpriteAgentConfig | JsonObject,
  layer: Layer,
  labelOf: OriginLabel,
): SpriteAgentConfig {
  const value = { ...agent, ...layer.value, kind: 'sprite' };
  const result = SpriteAgentSchema.safeParse(value, PARSE_ONCE);
  if (result.success) return result.data;
  const faults = faultsOf(result.error.issues, value, () => Object.keys(SpriteAgentSchema.shape));
  throw configError(faults, (path) => layer.originOf(path), labelOf);
}

/** Where the value at `path` comes from or, where it is missing, what lies around it. */
function originNear(merged: Merged, path: readonly PropertyKey[]): Origin {
  return merged.layerOf(path)?.originOf(path) ?? DEFAULT_ORIGIN;
}

function configError(
  faults: readonly Fault[],
  originOf: (path: readonly PropertyKey[]) => Origin,
  labelOf: OriginLabel,
): WreckitError {
  const told = faults.map((fault) => {
    const origin = originOf(fault.path);
    return { origin, text: `${labelOf(origin)}: ${fault.message}` };
  });
  const [first] = told;
  const more = told.length > 1 ? ` (and ${told.length - 1} more)` : '';
  return new WreckitError('CONFIG_INVALID', `config: ${first?.text ?? 'it is not valid'}${more}`, {
    hint: faults[0]?.hint,
    details: {
      file: first?.origin.kind === 'file' ? first.origin.source : null,
      line: first?.origin.line ?? null,
      faults: told.map(({ text }) => text),
    },
  });
}
