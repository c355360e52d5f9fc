/**
 * What every engine promises, whatever way leads to it. A test says what it needs; where that is lacking, the
 * engine must say so in its handshake and answer `UNSUPPORTED`; where the way has no words for it, it is listed
 * in the subject, with the reason.
 */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import type { SpriteEngine } from '../../engine/engine.ts';
import { WreckitError } from '../../errors.ts';
import { wreckitErrorOf } from '../helpers/error-of.ts';
import { checkpointTests } from './checkpoint-tests.ts';
import { commandTests } from './command-tests.ts';
import { fileTests } from './file-tests.ts';
import { lifecycleTests } from './lifecycle-tests.ts';
import { networkTests } from './network-tests.ts';
import { serviceTests } from './service-tests.ts';
import { sessionTests } from './session-tests.ts';
import type { Capability, Detail, OpenSubject, Subject } from './subject.ts';

export type Need = Capability | Detail;

export interface Suite {
  /** Registered where nothing it needs is lacking. */
  check(title: string, needs: readonly Need[], body: (subject: OpenSubject) => Promise<void>): void;
  /** A sprite all tests share that leave nothing behind in it. */
  readonly shared: string;
  has(need: Need): boolean;
}

const SETUP_MS = 60_000;

export function conformance(subject: Subject): void {
  let opened: OpenSubject | undefined;
  const shared = 'shared';
  const subjectNow = (): OpenSubject => {
    if (opened === undefined) throw new Error('the subject is not open');
    return opened;
  };
  beforeAll(async () => {
    opened = await subject.open();
    await opened.engine.start({ name: shared });
  }, SETUP_MS);
  afterAll(async () => {
    await opened?.[Symbol.asyncDispose]();
  }, SETUP_MS);

  const has = (need: Need): boolean =>
    !(subject.lacks as readonly Need[]).includes(need) && !Object.hasOwn(subject.beyond, need);
  const suite: Suite = {
    shared,
    has,
    check: (title, needs, body) => {
      if (needs.every(has)) test(`${subject.name} ${title}`, async () => await body(subjectNow()));
    },
  };
  if (subject.declares) {
    test(`${subject.name} says in its handshake what it can do`, async () => {
      const { capabilities, protocol } = await subjectNow().engine.version();
      expect(protocol).toBe(1);
      const said = CAPABILITIES.filter((capability) => capabilities.includes(capability));
      expect(said).toEqual(CAPABILITIES.filter((capability) => !subject.lacks.includes(capability)));
    });
  }
  for (const capability of subject.lacks) {
    test(`${subject.name} answers UNSUPPORTED: ${capability}`, async () => {
      const { code } = await wreckitErrorOf(() => PROBES[capability](subjectNow().engine, shared));
      expect(code).toBe('UNSUPPORTED');
    });
  }
  lifecycleTests(suite);
  commandTests(suite);
  sessionTests(suite);
  fileTests(suite);
  checkpointTests(suite);
  networkTests(suite);
  serviceTests(suite);
}

const CAPABILITIES: readonly Capability[] = ['stop', 'checkpoints', 'services', 'ports', 'policy'];

/** A call of each capability that an engine without it must refuse. */
const PROBES: Readonly<Record<Capability, (engine: SpriteEngine, name: string) => Promise<unknown>>> = {
  stop: (engine, name) => engine.stop(name),
  checkpoints: (engine, name) => part(engine.checkpoints).list(name),
  services: (engine, name) => part(engine.services).list(name),
  ports: (engine, name) => part(engine.ports).list(name),
  policy: (engine, name) => part(engine.policy?.network).get(name),
};

/** Where the whole part is absent nobody can call it; those in between (verbs, routes) answer for it. */
export function part<T>(present: T | undefined): T {
  if (present !== undefined) return present;
  throw new WreckitError('UNSUPPORTED', 'the engine has no such part');
}
