import { renderTable } from '../../cli/table.ts';
import type { TextFormat } from '../../cli/verb.ts';
import { planPush } from '../../sync/push-plan.ts';
import { type SyncStatus, syncStatus } from '../../sync/sync-status.ts';
import { findUnpushed } from '../../sync/unpushed.ts';
import { configOf } from '../context.ts';
import type { WreckitVerb } from '../globals.ts';

interface Row {
  readonly sprite: string;
  readonly path: string;
  readonly pushed_at: string;
  readonly files: number;
  readonly head: string | null;
  readonly is_pending: boolean;
  /** Changed here since the push. */
  readonly unpushed_files: number;
}

export const verb: WreckitVerb = {
  define: (command) => command,
  examples: [['wreckit sync status', 'Sprites the project was pushed to, and landings that can be undone']],
  async run(context) {
    const { signal } = context;
    const { projectRoot: root, sprite } = await configOf(context);
    const status = syncStatus(root);
    const options = { root, include: sprite.include, exclude: sprite.syncExcludePatterns, signal };
    const plan = status.sprites.length === 0 ? null : await planPush(options);
    const sprites = status.sprites.map((pushed): Row => {
      const unpushed = plan === null ? null : findUnpushed(plan, pushed.sprite, signal);
      return {
        sprite: pushed.sprite,
        path: pushed.dir,
        pushed_at: pushed.pushedAt,
        files: pushed.fileCount,
        head: pushed.head,
        is_pending: pushed.isPending,
        unpushed_files: (unpushed?.send.length ?? 0) + (unpushed?.remove.length ?? 0),
      };
    });
    const landings = landingsData(status);
    return { data: { root, sprites, landings }, text: (format) => text(sprites, landings, format) };
  },
};

function landingsData({ landings }: SyncStatus) {
  return landings.map(({ landingId, createdAt, sprite, fileCount, conflictCount, canUndo }) => ({
    landing_id: landingId,
    created_at: createdAt,
    sprite,
    files: fileCount,
    conflicts: conflictCount,
    can_undo: canUndo,
  }));
}

function text(
  sprites: readonly Row[],
  landings: ReturnType<typeof landingsData>,
  format: TextFormat,
): string {
  const pushed = renderTable(
    [
      { header: 'SPRITE' },
      { header: 'FILES', align: 'right' },
      { header: 'CHANGED HERE', align: 'right' },
      { header: 'COMMIT' },
      { header: 'PUSHED' },
    ],
    sprites.map(({ sprite, files, unpushed_files: changed, head, pushed_at: at, is_pending: isPending }) => [
      sprite,
      String(files),
      String(changed),
      head?.slice(0, 12) ?? '-',
      isPending ? `${at}, then cut off` : at,
    ]),
    format,
  );
  const landed = renderTable(
    [{ header: 'LANDING' }, { header: 'SPRITE' }, { header: 'FILES', align: 'right' }, { header: 'UNDO' }],
    landings.map((row) => [row.landing_id, row.sprite, String(row.files), row.can_undo ? 'yes' : 'undone']),
    format,
  );
  const parts = [pushed, landed].filter((part) => part !== '');
  return parts.length === 0 ? 'nothing was pushed from here' : parts.join('\n');
}
