/** What a sprite may reach, do and use. */
import type { Waiting } from './waiting.ts';

/** More specific wins: exact name > `*.sub.domain` > `*`. `defaults` stands for the engine's preset. */
export type NetworkRule =
  | { readonly domain: string; readonly action: 'allow' | 'deny' }
  | { readonly include: 'defaults' };

export interface PrivilegesPolicy {
  /** `''`: the engine's usual one. */
  readonly profile: '' | 'minimal' | 'standard' | 'privileged';
  readonly devices: readonly string[];
  /** Absent in what is set: as the engine has it. */
  readonly noNewPrivileges?: boolean | undefined;
}

export interface ResourcesPolicy {
  /** Null: what the engine gives by itself. */
  readonly memory: { readonly limitMb: number | null; readonly autoscale: boolean };
  /** Null: not limited. Absent in what is set: as it is; in what is told: not known. */
  readonly cpus?: number | null | undefined;
  /** Processes and threads. Null: what the engine gives by itself. Absent: like `cpus`. */
  readonly pids?: number | null | undefined;
}

/** A part of the policy; absent from `PolicyOps` where the engine can't enforce it. */
export interface PolicyPart<T> {
  get(name: string, waiting?: Waiting): Promise<T>;
  /** In force for running processes when it returns. Throws `USAGE` for what makes no sense. */
  set(name: string, policy: T, waiting?: Waiting): Promise<void>;
  /** Back to what the engine gives by itself. */
  reset(name: string, waiting?: Waiting): Promise<void>;
}

/** Throws `SPRITE_NOT_FOUND`. Capability `policy`. */
export interface PolicyOps {
  /**
   * Egress by domain name, for sprites whose network is `filtered`. What no rule allows is denied; of an open network
   * the rule is that `*` is allowed.
   */
  readonly network?: PolicyPart<readonly NetworkRule[]> | undefined;
  readonly privileges?: PolicyPart<PrivilegesPolicy> | undefined;
  readonly resources?: PolicyPart<ResourcesPolicy> | undefined;
}
