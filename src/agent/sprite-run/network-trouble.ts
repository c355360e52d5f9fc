/** Tells a user whose agent can't reach what it needs that it is the sprite's network, and what to do. */
import { quote } from '../../contract/names.ts';
import type { AgentEvent } from '../agent-events.ts';

export type SpriteNetwork = 'none' | 'filtered' | 'open';

/** What agents say of a connection that was refused or led nowhere. */
const TROUBLE =
  /wisp egress|CONNECT failed|connection ?(refused|failed|error)|unable to connect|error sending request|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|could not resolve/i;
/** The answer of the sprite's proxy, which names what it refused. */
const REFUSAL =
  /wisp egress: (\S+):(\d+): (no rule allows it|the name is not known|the name leads to a private address)/;

export class NetworkTrouble {
  readonly #network: SpriteNetwork;
  #refusal: { readonly host: string; readonly reason: string } | null = null;
  #isSeen = false;

  constructor(network: SpriteNetwork) {
    this.#network = network;
  }

  /** Returns the advice with the first sign of trouble: an agent may well wait for its network for ever. */
  note(event: AgentEvent): AgentEvent | null {
    if (event.type !== 'error') return null;
    const wasSeen = this.#isSeen;
    this.#look(event.message);
    const advice = wasSeen ? null : this.#advice();
    return advice === null ? null : { type: 'error', message: advice };
  }

  /** What to do about a failure with `message`; null: the network had no part in it. */
  hint(message: string | null): string | null {
    if (message !== null) this.#look(message);
    return this.#advice();
  }

  #look(message: string): void {
    if (!TROUBLE.test(message)) return;
    this.#isSeen = true;
    const [, host, , reason] = REFUSAL.exec(message) ?? [];
    if (host !== undefined && reason !== undefined) this.#refusal = { host, reason };
  }

  #advice(): string | null {
    if (!this.#isSeen || this.#network === 'open') return null;
    if (this.#network === 'none')
      return "the sprite has no network: give it one that lets the agent's model through with --network filtered";
    const { host, reason } = this.#refusal ?? { host: null, reason: null };
    if (host === null)
      return "the sprite's network lets only the usual names out: allow others with --allow NAME; a model on this machine needs --network open";
    if (reason === 'the name is not known')
      return `${quote(host)} is allowed, but this machine finds no address for it: is it on the network?`;
    if (reason === 'no rule allows it')
      return `${quote(host)} is not among the names the sprite may reach: allow it with --allow ${host}`;
    return `${quote(host)} has an address of this machine or its network, which "filtered" keeps from the sprite: use --network open`;
  }
}
