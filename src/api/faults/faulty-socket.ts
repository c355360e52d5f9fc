/** A WebSocket that misbehaves at its end, in the middle or in its texts. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { WebSocket } from 'ws';
import { isObject } from '../../contract/json-value.ts';
import { ApiSocket, type ApiSocketOptions, CLOSE } from '../api-socket.ts';
import { FRAME } from '../exec/frames.ts';
import type { FaultOf, FaultRule } from './fault-rule.ts';

export function faultySocket(ws: WebSocket, options: ApiSocketOptions, fault: FaultRule | null): ApiSocket {
  switch (fault?.kind) {
    case 'late-close':
      return new LateClosing(ws, options, fault);
    case 'no-exit':
      return new WithoutExit(ws, options, fault);
    case 'drop':
      return new Dropping(ws, options, fault);
    case 'malformed':
      return new Garbling(ws, options, fault);
    default:
      return new ApiSocket(ws, options);
  }
}

class LateClosing extends ApiSocket {
  readonly #ws: WebSocket;
  readonly #fault: FaultOf<'late-close'>;
  #late: Promise<void> | undefined;

  constructor(ws: WebSocket, options: ApiSocketOptions, fault: FaultOf<'late-close'>) {
    super(ws, options);
    this.#ws = ws;
    this.#fault = fault;
  }

  override close(code: number, reason?: string): Promise<void> {
    if (code === CLOSE.goingAway) return super.close(code, reason);
    this.#late ??= this.#wait();
    return this.#late.then(() => super.close(code, reason));
  }

  async #wait(): Promise<void> {
    const { delay_ms: delay, answers_close: answers } = this.#fault;
    const gone = new AbortController();
    this.#ws.once('close', () => gone.abort());
    if (!answers) this.#ws.pause();
    await sleep(delay, undefined, { signal: gone.signal }).catch(() => undefined);
  }
}

/** Of a session: knows whether it has a terminal, whose bytes have no leading one that says what they are. */
class SessionAware extends ApiSocket {
  /** Null: no session, or not told yet. */
  protected hasTerminal: boolean | null = null;

  override sendJson(value: unknown): Promise<boolean> {
    if (isObject(value) && value.type === 'session_info') this.hasTerminal = value.tty === true;
    return super.sendJson(value);
  }
}

class WithoutExit extends SessionAware {
  readonly #fault: FaultOf<'no-exit'>;

  constructor(ws: WebSocket, options: ApiSocketOptions, fault: FaultOf<'no-exit'>) {
    super(ws, options);
    this.#fault = fault;
  }

  override sendJson(value: unknown): Promise<boolean> {
    return isObject(value) && value.type === 'exit' ? Promise.resolve(true) : super.sendJson(value);
  }

  override sendBytes(bytes: Uint8Array): Promise<boolean> {
    const isExit = this.hasTerminal === false && bytes[0] === FRAME.exit;
    return isExit ? Promise.resolve(true) : super.sendBytes(bytes);
  }

  override async close(code: number, reason?: string): Promise<void> {
    const { close_code: own } = this.#fault;
    if (own === null) this.terminate();
    await super.close(own === null || code === CLOSE.goingAway ? code : own, reason);
  }
}

class Dropping extends SessionAware {
  #left: number;

  constructor(ws: WebSocket, options: ApiSocketOptions, fault: FaultOf<'drop'>) {
    super(ws, options);
    this.#left = fault.after_bytes;
  }

  override async sendBytes(bytes: Uint8Array): Promise<boolean> {
    const lead = this.hasTerminal === false ? 1 : 0;
    const payload = bytes.length - lead;
    const isData = payload > 0 && !(lead === 1 && bytes[0] === FRAME.exit);
    if (!isData) return await super.sendBytes(bytes);
    if (payload < this.#left) {
      this.#left -= payload;
      return await super.sendBytes(bytes);
    }
    if (this.#left > 0) await this.sent(bytes.slice(0, lead + this.#left));
    this.#left = 0;
    this.terminate();
    return false;
  }
}

class Garbling extends ApiSocket {
  readonly #fault: FaultOf<'malformed'>;

  constructor(ws: WebSocket, options: ApiSocketOptions, fault: FaultOf<'malformed'>) {
    super(ws, options);
    this.#fault = fault;
  }

  override sendJson(value: unknown): Promise<boolean> {
    const whole = JSON.stringify(value);
    return this.sendText(this.#fault.text ?? whole.slice(0, Math.floor(whole.length / 2)));
  }
}
