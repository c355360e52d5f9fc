/**
 * Every route there is. `…/control` is none on purpose: clients ask for it first and use the direct calls when
 * it is refused at once.
 */
import type { Route } from '../route.ts';
import { checkpointRoutes } from './checkpoints.ts';
import { execRoutes } from './exec.ts';
import { fileWatchRoutes } from './file-watch.ts';
import { fileRoutes } from './files.ts';
import { metaRoutes } from './meta.ts';
import { policyRoutes } from './policy.ts';
import { portRoutes } from './ports.ts';
import { serviceRoutes } from './services.ts';
import { spriteRoutes } from './sprites.ts';
import { taskRoutes } from './tasks.ts';

export const routes: readonly Route[] = [
  ...spriteRoutes,
  ...execRoutes,
  ...fileRoutes,
  ...fileWatchRoutes,
  ...checkpointRoutes,
  ...serviceRoutes,
  ...policyRoutes,
  ...portRoutes,
  ...taskRoutes,
  ...metaRoutes,
];
