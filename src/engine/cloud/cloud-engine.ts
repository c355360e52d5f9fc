/**
 * Sprites at a server of the Sprites API: api.sprites.dev, `wisp serve`, or any other.
 *
 *   CloudEngine ─▶ startSprite, CloudSprites     REST: made, listed, removed
 *               ├▶ CloudSessions ─▶ CloudSession  WebSockets: commands, made again when they break
 *               └▶ files, checkpoints, policy, services, ports
 *
 * What the API has no call for is `UNSUPPORTED`, and not among the capabilities.
 */
import { quote } from '../../contract/names.ts';
import type { Check, Session, Sprite, VersionData } from '../../contract/schemas.ts';
import { toWreckitError, WreckitError } from '../../errors.ts';
import type {
  CheckpointOps,
  FileOps,
  GcReport,
  KillSessionResult,
  SessionHandle,
  SessionSpec,
  SignalSpec,
  SpriteEngine,
  SpriteFilter,
  SpriteUpdate,
  StartSpec,
  Waiting,
} from '../engine.ts';
import type { NetworkRule, PolicyOps, PolicyPart } from '../policy.ts';
import type { PortOps } from '../ports.ts';
import type { ServiceOps } from '../services.ts';
import { ApiClient } from './api-client.ts';
import type { ApiTarget } from './api-target.ts';
import { CloudCheckpoints } from './cloud-checkpoints.ts';
import { CloudFiles } from './cloud-files.ts';
import { cloudPolicy } from './cloud-policy.ts';
import { CloudPorts } from './cloud-ports.ts';
import { CloudServices } from './cloud-services.ts';
import { CloudSessions } from './cloud-sessions.ts';
import { CloudSprites } from './cloud-sprites.ts';
import { SessionLedger } from './session-ledger.ts';
import { startSprite, waitUntilReady, withNetwork } from './start-sprite.ts';

export interface CloudEngineOptions {
  readonly target: ApiTarget;
  /** Null: none is sent (a unix socket needs none). */
  readonly token: string | null;
  /** wisp's own directory, for what it knows of sessions. */
  readonly stateDir: string;
  /** What the user should hear: output that may be missing, a limit that is waited out. */
  readonly onNotice?: ((text: string) => void) | undefined;
  /** How long a lost connection is tried again without any progress; 60 s when absent. */
  readonly resumeMs?: number | undefined;
  /** How long a call that may be repeated is tried again; 20 s when absent. */
  readonly patienceMs?: number | undefined;
}

export class CloudEngine implements SpriteEngine {
  readonly files: FileOps;
  readonly checkpoints: CheckpointOps;
  readonly services: ServiceOps;
  readonly ports: PortOps;
  readonly policy: PolicyOps & { readonly network: PolicyPart<readonly NetworkRule[]> };
  readonly #client: ApiClient;
  readonly #sprites: CloudSprites;
  readonly #sessions: CloudSessions;
  readonly #ledger: SessionLedger;

  constructor({
    target,
    token,
    stateDir,
    onNotice = () => undefined,
    resumeMs,
    patienceMs,
  }: CloudEngineOptions) {
    const client = new ApiClient({ target, token, patienceMs, onNotice });
    this.#client = client;
    this.#ledger = new SessionLedger(stateDir, target.url);
    this.#sprites = new CloudSprites(client);
    this.#sessions = new CloudSessions({ client, ledger: this.#ledger, onNotice, resumeMs });
    this.files = new CloudFiles(client, this.#sessions);
    this.policy = cloudPolicy(client);
    this.services = new CloudServices(client);
    this.ports = new CloudPorts(client);
    this.checkpoints = new CloudCheckpoints(client, (name, waiting) => this.#ready(name, waiting));
  }

  async version(): Promise<VersionData> {
    const { cloudVersion } = await import('./cloud-version.ts');
    return cloudVersion(this.#client.target);
  }

  async start(spec: StartSpec, waiting: Waiting = {}): Promise<{ sprite: Sprite; created: boolean }> {
    const parts = {
      client: this.#client,
      sprites: this.#sprites,
      sessions: this.#sessions,
      network: this.policy.network,
      forget: (name: string) => this.#ledger.forget(name),
    };
    return await startSprite(parts, spec, waiting);
  }

  async list(filter: SpriteFilter = {}, waiting: Waiting = {}): Promise<Sprite[]> {
    return await this.#sprites.list(filter, waiting);
  }

  async info(name: string, waiting: Waiting = {}): Promise<Sprite> {
    const { sprite, raw } = await this.#sprites.get(name, waiting);
    const whole = await withNetwork({ network: this.policy.network }, sprite, raw, waiting);
    // To ask a sprite that sleeps what runs in it would wake it; nothing does.
    const isAwake = sprite.state === 'running' || sprite.state === 'warm';
    return {
      ...whole,
      sessions: isAwake ? await this.#sessions.list(name, waiting) : this.#ledger.list(name),
    };
  }

  async update(name: string, update: SpriteUpdate, waiting: Waiting = {}): Promise<Sprite> {
    return await this.#sprites.update(name, update, waiting);
  }

  async stop(name: string, waiting: Waiting = {}): Promise<Sprite> {
    await this.#sprites.get(name, waiting);
    throw new WreckitError('UNSUPPORTED', `stop sprite ${quote(name)}: the API has no call for it`, {
      hint: 'it goes to sleep by itself once nothing is going on in it, and its files stay; to end what runs: wisp --engine cloud kill-session NAME SESSION',
    });
  }

  async wake(name: string, waiting: Waiting = {}): Promise<Sprite> {
    await this.#sprites.get(name, waiting);
    await this.#ready(name, waiting);
    const { sprite, raw } = await this.#sprites.get(name, waiting);
    return await withNetwork({ network: this.policy.network }, sprite, raw, waiting);
  }

  async kill(name: string, waiting: Waiting = {}): Promise<void> {
    await this.#sprites.remove(name, waiting);
    this.#ledger.forget(name);
  }

  async openSession(name: string, spec: SessionSpec, waiting: Waiting = {}): Promise<SessionHandle> {
    return await this.#sessions.open(name, spec, waiting);
  }

  async session(name: string, sessionId: string, waiting: Waiting = {}): Promise<SessionHandle> {
    return await this.#sessions.find(name, sessionId, waiting);
  }

  async sessions(name: string, waiting: Waiting = {}): Promise<Session[]> {
    return await this.#sessions.list(name, waiting);
  }

  async killSession(name: string, sessionId: string, how: SignalSpec = {}): Promise<KillSessionResult> {
    return await this.#sessions.kill(name, sessionId, how);
  }

  /** Sprites whose time is up. What is half-made at the server is the server's. */
  async gc({ dryRun = false, signal }: { dryRun?: boolean } & Waiting = {}): Promise<GcReport> {
    const now = Date.now();
    const expired = (await this.list({}, { signal })).filter(
      ({ expires_at: at }) => at !== null && Date.parse(at) <= now,
    );
    const removed: GcReport['removed'][number][] = [];
    const kept: GcReport['kept'][number][] = [];
    for (const { name, expires_at: at } of expired) {
      const item = { kind: 'sprite', name, reason: `its time was up at ${at}` };
      try {
        if (!dryRun) await this.kill(name, { signal });
        removed.push(item);
      } catch (thrown) {
        signal?.throwIfAborted();
        kept.push({ ...item, reason: `${item.reason}, but: ${toWreckitError(thrown).message}` });
      }
    }
    return { removed, kept };
  }

  async doctor(waiting: Waiting = {}): Promise<Check[]> {
    const { cloudChecks } = await import('./cloud-doctor.ts');
    return await cloudChecks(this.#client, waiting);
  }

  async #ready(name: string, waiting: Waiting): Promise<void> {
    await waitUntilReady({ sessions: this.#sessions }, name, [], waiting);
  }
}
