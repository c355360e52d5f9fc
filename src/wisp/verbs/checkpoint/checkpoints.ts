/** What the checkpoint verbs share. */

import { age } from '../../../cli/sprite-text.ts';
import { renderTable } from '../../../cli/table.ts';
import type { TextFormat } from '../../../cli/verb.ts';
import { formatBytes } from '../../../contract/units.ts';
import type { Checkpoint, CheckpointOps, SpriteEngine } from '../../../engine/engine.ts';
import { WreckitError } from '../../../errors.ts';

/** Throws `UNSUPPORTED`. */
export function checkpointsOf(engine: SpriteEngine): CheckpointOps {
  if (engine.checkpoints) return engine.checkpoints;
  throw new WreckitError('UNSUPPORTED', 'checkpoint: this engine has none');
}

export function checkpointTable(checkpoints: readonly Checkpoint[], format: TextFormat): string {
  const rows = checkpoints.map(({ id, created_at, size_bytes, is_auto, comment }) => [
    id,
    age(created_at),
    formatBytes(size_bytes),
    is_auto ? 'automatic' : 'asked for',
    comment ?? '',
  ]);
  const columns = [
    { header: 'CHECKPOINT' },
    { header: 'AGE', align: 'right' },
    { header: 'SIZE', align: 'right' },
    { header: 'MADE' },
    { header: 'COMMENT', canShrink: true },
  ] as const;
  return renderTable(columns, rows, format);
}
