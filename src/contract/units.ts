/** Sizes and durations as people write them: `512MiB`, `1GiB`, `300`, `30s`, `2h`. */
import { WreckitError } from '../errors.ts';
import { quote } from './names.ts';

const SIZE_UNITS: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: 1024,
  kb: 1000,
  kib: 1024,
  m: 1024 ** 2,
  mb: 1000 ** 2,
  mib: 1024 ** 2,
  g: 1024 ** 3,
  gb: 1000 ** 3,
  gib: 1024 ** 3,
  t: 1024 ** 4,
  tb: 1000 ** 4,
  tib: 1024 ** 4,
};

/** Bytes of `512MiB`, `1.5g` or a plain number. Throws `USAGE`. */
export function parseSizeBytes(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text.trim());
  const unit = SIZE_UNITS[match?.[2]?.toLowerCase() ?? ''];
  const bytes = match && unit !== undefined ? Math.round(Number(match[1]) * unit) : Number.NaN;
  if (Number.isSafeInteger(bytes)) return bytes;
  throw new WreckitError('USAGE', `size: ${quote(text)} is not a size such as "512MiB" or "1GiB"`);
}

const DURATION_UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  '': 1000,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** Milliseconds of `30s`, `1h30m`, `500ms`; a plain number is seconds. Throws `USAGE`. */
export function parseDurationMs(text: string): number {
  const trimmed = text.trim().toLowerCase();
  const parts = [...trimmed.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d|)/g)];
  const isWhole = parts.length > 0 && parts.map((part) => part[0]).join('') === trimmed;
  const hasBareNumberInside = parts.length > 1 && parts.some((part) => part[2] === '');
  if (isWhole && !hasBareNumberInside) {
    let totalMs = 0;
    for (const [, count, unit] of parts)
      totalMs += Number(count) * (DURATION_UNITS[unit ?? ''] ?? Number.NaN);
    const rounded = Math.round(totalMs);
    if (Number.isSafeInteger(rounded)) return rounded;
  }
  throw new WreckitError('USAGE', `duration: ${quote(text)} is not a duration such as "30s" or "2h"`);
}

/** Bytes for people: `512 MiB`, `1.5 GiB`. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let index = 0;
  while (value >= 1024 && index < units.length - 1) {
    value /= 1024;
    index += 1;
  }
  return `${value >= 100 || index === 0 ? Math.round(value) : Math.round(value * 10) / 10} ${units[index]}`;
}

/** Milliseconds for people: `340ms`, `12s`, `5m`, `3h`, `2d`. */
export function formatDuration(durationMs: number): string {
  if (durationMs < 1000) return `${Math.max(0, Math.round(durationMs))}ms`;
  const seconds = durationMs / 1000;
  if (seconds < 60) return `${Math.round(seconds)}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)}h`;
  return `${Math.floor(seconds / 86_400)}d`;
}
