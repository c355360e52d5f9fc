/** Starts what keeps a service running (service-supervisor.ts). */
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { SpriteExecError } from '../../../errors.ts';
import { identify } from '../../../process/identity.ts';
import type { ServiceSpec } from '../../services.ts';
import { execArgv, type RunningSprite, writeProcessFile } from '../inside.ts';
import { Changes } from '../sessions/changes.ts';
import { sessionRequest } from '../sessions/session-request.ts';
import { serviceWrapper } from '../sessions/wrapper.ts';
import { TOOL_ENV } from '../tools.ts';
import { logsOf, serviceDir } from './service-dir.ts';
import { readState } from './service-state.ts';
import { SERVICE_LOG_COPIER, SERVICE_SUPERVISOR } from './service-supervisor.ts';

const BLOCK_BYTES = 64 * 1024;
/** Of each of the two logs; at least three quarters of it are kept. */
const LOG_CAP_BYTES = 16 * 1024 * 1024;
/** The part of a log that is given up at a time. */
const ROUND_DIVISOR = 8;
const START_TIMEOUT_MS = 15_000;

/** When a service that crashes is started again. */
export interface RestartRules {
  /** Before the first restart; doubled each time. */
  readonly firstMs: number;
  readonly longestMs: number;
  /** Restarts in a row, after which it is given up. */
  readonly most: number;
  /** What has run this long begins anew. */
  readonly steadyMs: number;
}

/** Given up after some six minutes of crashing. */
export const RESTART_RULES: RestartRules = { firstMs: 1000, longestMs: 60_000, most: 12, steadyMs: 60_000 };

export interface SupervisorStart {
  readonly sprite: RunningSprite;
  readonly service: string;
  readonly spec: ServiceSpec;
  readonly rules: RestartRules;
  /** Takes over what a supervisor that was killed had started. */
  readonly isAdopting: boolean;
}

/**
 * Resolves once the supervisor has written down that it is there, before it has started anything. Throws `USAGE`,
 * `PATH_INVALID`, `SPRITE_EXEC_FAILED`. The caller sees to it that no other one is started.
 */
export async function startSupervisor(start: SupervisorStart): Promise<void> {
  const { sprite, service } = start;
  const dir = serviceDir(sprite.dir, service);
  mkdirSync(logsOf(sprite.dir, service), { recursive: true, mode: 0o755 });
  using changes = new Changes(dir);
  const { pid } = spawnSupervisor(start, dir);
  const deadline = performance.now() + START_TIMEOUT_MS;
  while (pid === undefined || readState(dir)?.pid !== pid) {
    const leftMs = deadline - performance.now();
    if (pid === undefined || identify(pid) === null || leftMs <= 0) {
      throw new SpriteExecError(`service "${service}": its supervisor did not start`, { retryable: true });
    }
    await changes.next({}, Math.min(leftMs, 20));
  }
}

function spawnSupervisor({ sprite, service, spec, rules, isAdopting }: SupervisorStart, dir: string) {
  const { command, dir: cwd, user, env } = sessionRequest(sprite, spec);
  const processFile = join(dir, 'process.json');
  rmSync(processFile, { force: true });
  writeProcessFile(processFile, sprite, { command: serviceWrapper(command), user, dir: cwd, env });
  const description = openSync(processFile, 'r');
  // From here on only the supervisor and the runtime can read it: it holds the environment.
  rmSync(processFile);
  const blocks = LOG_CAP_BYTES / BLOCK_BYTES - 1;
  const ticks = (ms: number): string => String(Math.max(1, Math.round(ms / 10)));
  const args = [
    dir,
    logsOf(sprite.dir, service),
    String(sprite.initPid),
    identify(sprite.initPid)?.startTime ?? '',
    spec.needs.join(' '),
    ticks(rules.firstMs),
    ticks(rules.longestMs),
    String(rules.most),
    ticks(rules.steadyMs),
    String(blocks * BLOCK_BYTES),
    String(Math.floor(blocks / ROUND_DIVISOR)),
    isAdopting ? '1' : '0',
    ...execArgv(sprite, '/proc/self/fd/7', { pidFile: join(dir, 'pid'), preserveFds: 4 }),
  ];
  try {
    const child = spawn('/bin/sh', ['-c', 'eval "$WISP_SUPERVISOR"', 'wisp-service', ...args], {
      cwd: '/',
      detached: true,
      env: { ...TOOL_ENV, WISP_SUPERVISOR: SERVICE_SUPERVISOR, WISP_COPIER: SERVICE_LOG_COPIER },
      stdio: ['ignore', 'ignore', 'ignore', description],
    });
    child.on('error', () => undefined); // It has no pid then.
    child.unref();
    return child;
  } finally {
    closeSync(description);
  }
}
