import type { ServiceView } from '../contract/schemas.ts';
import type { Service } from './services.ts';

/** A service as the contract shows it: of its variables the names alone. */
export function serviceView({ name, spec, state, logFiles }: Service): ServiceView {
  return {
    name,
    command: [...spec.command],
    dir: spec.dir ?? null,
    env_names: Object.keys(spec.env ?? {}),
    user: spec.user ?? 'sprite',
    needs: [...spec.needs],
    http_port: spec.httpPort,
    ...state,
    log_files: { stdout: logFiles.stdout, stderr: logFiles.stderr },
  };
}
