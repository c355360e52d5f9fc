/** What `exec` does where no flag says otherwise. */
import { DEFAULT_PROJECT_DIR } from '../../sync/wisp-port.ts';
import type { SpriteTools } from './sprite-tools.ts';

/**
 * Where a project lies in sprites of the bundled wisp. Known without asking, for the question would cost as
 * much as the command; other engines begin where they begin.
 */
export function workdir({ runner }: SpriteTools): string | undefined {
  return runner.isBundled ? DEFAULT_PROJECT_DIR : undefined;
}

/** The configured deadline ends a command, the built-in one only calls that have no command to wait for. */
export function commandTimeout({ loaded, settings }: SpriteTools): string | undefined {
  return loaded.spriteOriginOf(['timeout']).kind === 'default' ? undefined : `${settings.timeout}s`;
}
