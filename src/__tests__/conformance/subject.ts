/** An engine the suite is run against, and what is known of it beforehand. */
import type { SessionSpec, SpriteEngine } from '../../engine/engine.ts';

/** What an engine may lack. It says so in its handshake (`capabilities`) and answers `UNSUPPORTED`. */
export type Capability = 'stop' | 'checkpoints' | 'services' | 'ports' | 'policy';

/** What the way to an engine may have no words for, so that nothing can be asked. */
export type Detail =
  | 'update'
  | 'live-input'
  | 'terminal'
  | 'stderr-log'
  | 'label-filter'
  | 'sprite-env'
  | 'root'
  | 'write-mode'
  | 'ranges'
  | 'recursive-list'
  | 'copy'
  | 'chown'
  | 'watch-files'
  | 'signal-name'
  /** Errors of reading have their own code. */
  | 'read-errors'
  /** Paths and links end inside. */
  | 'confined'
  | 'port-list'
  /** Connections into a sprite, and changes of what listens. */
  | 'port-talk'
  /** Declaring and steering of services. */
  | 'service-control'
  | 'from'
  | 'checkpoint-get'
  | 'tar';

export interface Outcome {
  readonly exitCode: number | null;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  readonly timedOut: boolean;
}

export interface RunSpec extends Omit<SessionSpec, 'command' | 'stdin'> {
  readonly stdin?: Uint8Array | undefined;
}

export interface OpenSubject extends AsyncDisposable {
  readonly engine: SpriteEngine;
  /** A command to its end, where `openSession` can't do it (input that is fed while it runs). */
  readonly run?: (name: string, command: readonly string[], spec: RunSpec) => Promise<Outcome>;
}

export interface Subject {
  readonly name: string;
  readonly lacks: readonly Capability[];
  /** With the reason. */
  readonly beyond: Readonly<Partial<Record<Detail, string>>>;
  /** Its handshake names its capabilities; false for a stand-in. */
  readonly declares: boolean;
  open(): Promise<OpenSubject>;
}
