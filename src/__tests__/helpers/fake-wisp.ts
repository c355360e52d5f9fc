import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fixtureBin } from './fixtures.ts';
import type { TempDir } from './temp-dir.ts';

/** What one verb of the stand-in does instead of keeping the contract: see fixtures/fake-wisp/play.mjs. */
export interface FakeReply {
  readonly stdout?: unknown;
  readonly stdout_base64?: string;
  readonly stderr?: string;
  readonly before?: string;
  readonly exit?: number;
  readonly signal?: string;
  readonly hang?: boolean | 'hard';
  readonly delay_ms?: number;
  readonly flood_bytes?: number;
  readonly read_stdin?: boolean;
}

export type FakeScenario = Readonly<Record<string, FakeReply | readonly (FakeReply | null)[]>>;

export interface FakeCall {
  readonly verb: string;
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly pid: number;
  /** base64 */
  readonly stdin?: string;
}

/** The stand-in for wisp (fixtures/bin/wisp) with a home, a record and a scenario of its own. */
export interface FakeWisp {
  readonly path: string;
  readonly env: Readonly<Record<string, string>>;
  play(scenario: FakeScenario): void;
  /** The calls since the last `play`; without `version` where `verbs` is asked for. */
  calls(): FakeCall[];
  verbs(): string[];
}

/** The stand-in for Fly's command (fixtures/bin/sprite), logged in with a token. */
export function fakeSprite(dir: TempDir, scenario: FakeScenario = {}): FakeWisp {
  const fake = fakeWisp(dir, scenario);
  return { ...fake, path: fixtureBin('sprite'), env: { ...fake.env, SPRITES_TOKEN: FAKE_TOKEN } };
}

export const FAKE_TOKEN = 'me/org/token/canary-of-a-token';

export function fakeWisp(dir: TempDir, scenario: FakeScenario = {}): FakeWisp {
  const record = dir.join('calls.jsonl');
  const env = {
    PATH: process.env.PATH ?? '',
    HOME: dir.path,
    TMPDIR: dir.path,
    XDG_CACHE_HOME: dir.join('cache'),
    XDG_STATE_HOME: dir.join('state'),
    WISP_HOME: dir.join('wisp'),
    WISP_RECORD: record,
    WISP_SCENARIO: dir.join('scenario.json'),
  };
  const play = (next: FakeScenario): void => {
    writeFileSync(env.WISP_SCENARIO, JSON.stringify(next));
    writeFileSync(record, '');
  };
  const calls = (): FakeCall[] =>
    existsSync(record)
      ? readFileSync(record, 'utf8')
          .split('\n')
          .filter((line) => line !== '')
          .map((line) => JSON.parse(line))
      : [];
  mkdirSync(env.XDG_CACHE_HOME, { recursive: true });
  play(scenario);
  return {
    path: fixtureBin('wisp'),
    env,
    play,
    calls,
    verbs: () => calls().flatMap(({ verb }) => (verb === 'version' ? [] : [verb])),
  };
}
