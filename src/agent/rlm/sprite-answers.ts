/** What the sprite tools tell a model of sprites, sessions and commands. */
import type { ExecData, Session, Sprite } from '../../contract/schemas.ts';
import { capText } from './cap-text.ts';

/** Of each stream, in what a model gets to see. */
const MAX_OUTPUT_CHARS = 32_768;

export function connectionInfo(sprite: Sprite): Record<string, unknown> {
  return {
    ...spriteFacts(sprite),
    exec: { tool: 'exec_in_sprite', arguments: { name: sprite.name, command: ['uname', '-a'] } },
    attach: `wreckit sprite attach ${sprite.name}`,
    ...((sprite.warnings?.length ?? 0) > 0 ? { warnings: sprite.warnings } : {}),
  };
}

export function spriteFacts(sprite: Sprite): Record<string, unknown> {
  const { name: spriteName, state, isolation, network, workdir, created_at, expires_at, sessions } = sprite;
  const running = Array.isArray(sessions)
    ? sessions.filter(({ state: each }) => each === 'running').length
    : sessions;
  return {
    name: spriteName,
    state,
    isolation,
    network,
    workdir,
    created_at,
    expires_at,
    running_sessions: running,
  };
}

export function sessionFacts({
  id,
  command,
  dir,
  state,
  exit_code,
  signal,
  stdout_bytes,
  stderr_bytes,
}: Session): Record<string, unknown> {
  return { id, command, dir, state, exit_code, signal, output_bytes: stdout_bytes, stderr_bytes };
}

export function execAnswer(done: ExecData): Record<string, unknown> {
  const stdout = capText(done.stdout, MAX_OUTPUT_CHARS);
  const stderr = capText(done.stderr, MAX_OUTPUT_CHARS);
  const isTruncated =
    done.stdout_truncated_bytes + done.stderr_truncated_bytes + stdout.omitted + stderr.omitted > 0;
  return {
    exit_code: done.exit_code,
    ...(done.signal === null ? {} : { signal: done.signal }),
    ...(done.timed_out ? { timed_out: true } : {}),
    stdout: stdout.text,
    stderr: stderr.text,
    session_id: done.session_id,
    duration_ms: done.duration_ms,
    ...(isTruncated
      ? {
          truncated: true,
          stdout_omitted_bytes: done.stdout_truncated_bytes + stdout.omitted,
          stderr_omitted_bytes: done.stderr_truncated_bytes + stderr.omitted,
        }
      : {}),
  };
}
