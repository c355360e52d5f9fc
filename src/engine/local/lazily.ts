/**
 * A part of the engine that is loaded when it is first used: a command pays for what it does, not for what the
 * engine can.
 */

type Methods = Readonly<Record<string, (...args: never[]) => unknown>>;

/**
 * Stands for what `load` resolves with. Its methods must all return promises, or, those named in `streams`, async
 * iterables.
 */
export function lazily<T extends object>(load: () => Promise<T>, streams: readonly (keyof T)[] = []): T {
  let loading: Promise<T> | undefined;
  const loaded = (): Promise<T> => {
    loading ??= load();
    return loading;
  };
  const call = async (name: PropertyKey, args: unknown[]): Promise<unknown> => {
    const target = (await loaded()) as Methods;
    return await Reflect.apply(target[String(name)] as () => unknown, target, args);
  };
  async function* stream(name: PropertyKey, args: unknown[]): AsyncGenerator<unknown> {
    const target = (await loaded()) as Methods;
    yield* Reflect.apply(target[String(name)] as () => AsyncIterable<unknown>, target, args);
  }
  return new Proxy({} as T, {
    get: (_, name) => {
      // With a `then` it would be taken for a promise wherever it is awaited.
      if (name === 'then' || typeof name === 'symbol') return undefined;
      return streams.includes(name as keyof T)
        ? (...args: unknown[]) => stream(name, args)
        : (...args: unknown[]) => call(name, args);
    },
  });
}
