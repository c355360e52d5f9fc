/**
 * Content that can be given again to the next process when one ended without reading any of it: what was taken is
 * kept until it is so much that somebody must have read.
 */

/** More than is taken for a process that reads nothing: what a pipe holds, and what is on its way there when it ends. */
const UNREAD_BYTES = 4 * 1024 * 1024;

type Step = IteratorResult<Uint8Array, undefined>;

export class Retaken implements AsyncIterable<Uint8Array>, Disposable {
  readonly #source: AsyncIterator<Uint8Array, undefined>;
  /** Also one that is still awaited: who leaves meanwhile takes nothing with him. */
  #steps: Promise<Step>[] = [];
  /** Without the first chunk, which may be all there is. */
  #laterBytes = 0;

  constructor(content: AsyncIterable<Uint8Array>) {
    this.#source = content[Symbol.asyncIterator]();
  }

  get canBeginAgain(): boolean {
    return this.#laterBytes <= UNREAD_BYTES;
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, undefined> {
    let next = 0;
    return {
      next: () => this.#step(next++),
      return: async () => ({ done: true, value: undefined }),
    };
  }

  /** Nobody wants more of it. Not awaited: a source that waits for its own next chunk would answer only after it. */
  [Symbol.dispose](): void {
    this.#source.return?.().catch(() => undefined);
  }

  #step(index: number): Promise<Step> {
    const known = this.#steps[index];
    if (known !== undefined) return known;
    const step = this.#take(index === 0);
    if (this.canBeginAgain) this.#steps[index] = step;
    else this.#steps = [];
    return step;
  }

  async #take(isFirst: boolean): Promise<Step> {
    const step = await this.#source.next();
    if (!step.done && !isFirst) this.#laterBytes += step.value.length;
    return step;
  }
}
