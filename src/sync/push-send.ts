/** The part of a push that changes the sprite: removals, one tar stream, the mark, and then the record. */
import fs from 'node:fs';
import path from 'node:path';
import { type TarInput, writeTar } from '../archive/tar-writer.ts';
import { errorOf } from '../errors.ts';
import { decodeUtf8 } from '../process/text.ts';
import { BaseReader, BaseWriter, baseFileOf, removeOldBases } from './base-store.ts';
import { type BytePath, comparePaths, parentsOf } from './byte-path.ts';
import { textEntry } from './history.ts';
import { type HeadTrees, type HostChanges, isInHead } from './host-changes.ts';
import { clearPending, savePending } from './pending-push.ts';
import type { PushDecision } from './push-conflicts.ts';
import { historyToSend, readHeadTrees, type SentHistory } from './push-history.ts';
import type { PushPlan } from './push-plan.ts';
import { PushStream } from './push-stream.ts';
import { type GitHash, openFile, WHOLE_FILE_BYTES } from './read-content.ts';
import type { SpritePort } from './sprite-port.ts';
import { type ManifestEntry, type ManifestFile, type SpriteRecord, saveRecord } from './sprite-record.ts';
import { nameList, type SpriteScan, TOKEN_PATH } from './sprite-scan.ts';
import type { OnSyncProgress } from './sync-progress.ts';

export interface PushContext {
  readonly plan: PushPlan;
  readonly spriteDir: string;
  readonly port: SpritePort;
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  readonly historyDepth: number | null;
  readonly gitHash: GitHash | null;
  readonly hashedAtMs: number;
  /** Mark of this push. */
  readonly token: string;
  readonly onProgress: OnSyncProgress | undefined;
  readonly signal: AbortSignal | undefined;
}

export interface PushWork {
  readonly record: SpriteRecord | null;
  readonly changes: HostChanges;
  readonly scan: SpriteScan;
  readonly decision: PushDecision;
}

export interface SentPush {
  readonly fileCount: number;
  readonly sentCount: number;
  readonly sentBytes: number;
  readonly removedCount: number;
  readonly history: SentHistory['sent'];
  readonly warnings: readonly string[];
}

export async function sendPush(context: PushContext, work: PushWork): Promise<SentPush> {
  const { spriteDir, token, signal } = context;
  const { decision } = work;
  const trees = await readHeadTrees(context.plan.repositories, signal);
  const sentPaths = [...decision.send, ...decision.remove, ...decision.conflicts];
  savePending(spriteDir, { token, paths: sentPaths });
  await removeInSprite(context, decision);
  const workDir = fs.mkdtempSync(path.join(spriteDir, 'history-'));
  try {
    using previous = new BaseReader(baseFileOf(spriteDir, work.record?.baseId ?? ''));
    using base = new BaseWriter(baseFileOf(spriteDir, token), previous);
    const sending = new Sending(context, work, trees, base, workDir);
    const tokenCtime = await unpack(context, writeTar(sending.members()));
    const entries = sending.manifest();
    base.finish();
    saveRecord(spriteDir, recordOf(context, await sending.history, tokenCtime, entries));
    removeOldBases(spriteDir, token);
    clearPending(spriteDir);
    const { sent, warnings } = await sending.history;
    return {
      fileCount: entries.size,
      sentCount: sending.sentCount,
      sentBytes: sending.sentBytes,
      removedCount: decision.remove.length,
      history: sent,
      warnings,
    };
  } finally {
    fs.rmSync(workDir, { recursive: true, force: true });
  }
}

class Sending {
  readonly history: Promise<SentHistory>;
  readonly #context: PushContext;
  readonly #work: PushWork;
  readonly #trees: HeadTrees;
  readonly #base: BaseWriter;
  readonly #stream: PushStream;

  constructor(context: PushContext, work: PushWork, trees: HeadTrees, base: BaseWriter, workDir: string) {
    const { plan, gitHash, onProgress, signal, historyDepth, exclude } = context;
    this.#context = context;
    this.#work = work;
    this.#trees = trees;
    this.#base = base;
    const entries = plan.entries.filter(({ path: name }) => work.decision.send.has(name));
    this.#stream = new PushStream({ root: plan.root, entries, trees, gitHash, base, onProgress, signal });
    // Packed while the files are on their way.
    const spriteHead = work.scan.head;
    const request = {
      plan,
      trees,
      exclude,
      record: work.record,
      spriteHead,
      depth: historyDepth,
      workDir,
      signal,
    };
    this.history = historyToSend(request);
    // Awaited in `members`; until then a failure is nobody's yet.
    this.history.catch(() => undefined);
  }

  get sentCount(): number {
    return this.#stream.manifest.size - this.#work.decision.present.size;
  }

  get sentBytes(): number {
    return this.#stream.sentBytes;
  }

  /** The mark comes last: it is there only when everything before it is. */
  async *members(): AsyncGenerator<TarInput> {
    yield* this.#stream.members();
    yield* (await this.history).entries;
    yield textEntry('.wreckit/sync/.gitignore', '*\n');
    yield textEntry(TOKEN_PATH, this.#context.token);
  }

  /** To be called once the members were sent. */
  manifest(): Map<BytePath, ManifestEntry> {
    const { changes, decision } = this.#work;
    for (const { planned } of changes.changed) {
      if (decision.present.has(planned.path)) this.#stream.adopt(planned);
    }
    const entries = new Map(this.#stream.manifest);
    for (const [name, entry] of changes.same) entries.set(name, this.#carriedOver(name, entry));
    return new Map([...entries].sort(([a], [b]) => comparePaths(a, b)));
  }

  #carriedOver(name: BytePath, entry: ManifestEntry): ManifestEntry {
    const isCommitted = isInHead(name, entry, this.#trees, this.#context.gitHash);
    if (entry.kind === 'symlink') return { ...entry, isInHead: isCommitted };
    if (isCommitted) return { ...entry, isInHead: true, baseAt: null };
    return { ...entry, isInHead: false, baseAt: this.#keepBase(name, entry) };
  }

  #keepBase(name: BytePath, entry: ManifestFile): number | null {
    if (entry.baseAt !== null) return this.#base.carryOver(entry.baseAt, entry.sizeBytes);
    if (entry.sizeBytes > WHOLE_FILE_BYTES || !entry.isInHead) return null;
    // It was in the commit the project was at, and is in the present one no more.
    using file = openFile(this.#context.plan.root, name);
    return file === null || file.stat.sizeBytes !== entry.sizeBytes ? null : this.#base.add(file.whole());
  }
}

async function removeInSprite({ port, signal }: PushContext, decision: PushDecision): Promise<void> {
  const { remove, conflicts } = decision;
  if (remove.length + conflicts.length === 0) return;
  const removals = [
    { argv: ['rm', '-f', '--'], paths: remove },
    { argv: ['rm', '-rf', '--'], paths: conflicts },
  ];
  for (const { argv, paths } of removals) {
    if (paths.length === 0) continue;
    const done = await port.exec(['xargs', '-0', '-r', ...argv], { stdin: nameList(paths), signal });
    if (done.exitCode === 0) continue;
    const reason = decodeUtf8(done.stderr).trim().split('\n').at(-1) ?? '';
    throw errorOf('SPRITE_SYNC_FAILED', `remove files in sprite "${port.name}": ${reason}`);
  }
  const parents = new Set(remove.flatMap((name) => [...parentsOf(name)]));
  const deepestFirst = [...parents].sort((a, b) => b.length - a.length);
  // Those that are not empty stay; there is nothing to be told about it.
  await port.exec(['xargs', '-0', '-r', 'rmdir', '--'], { stdin: nameList(deepestFirst), signal });
}

/**
 * Says at its end what mark arrived, and the ctime of it, by which later changes are told: so it must be later
 * than every file's, by more than a tick of the clock that file systems use (10 ms at most).
 */
const UNPACK_SCRIPT = `tar -xpf - --no-same-owner || exit 1
sleep 0.02 2>/dev/null || sleep 1
touch ${TOKEN_PATH}
cat ${TOKEN_PATH} && LC_ALL=C find ${TOKEN_PATH} -printf '\\n%C@'`;

async function unpack(
  { port, token, signal }: PushContext,
  tar: AsyncIterable<Uint8Array>,
): Promise<string | null> {
  const done = await port.exec(['sh', '-c', UNPACK_SCRIPT], { stdin: tar, makeDir: true, signal });
  const [found = '', ctime = ''] = decodeUtf8(done.stdout).split('\n');
  if (found.trim() !== token) {
    const reason = decodeUtf8(done.stderr).trim().split('\n').at(-1) || 'it did not arrive whole';
    throw errorOf('SPRITE_SYNC_FAILED', `push to sprite "${port.name}": ${reason}`, {
      hint: 'push again: what is there already is not sent a second time',
      retryable: true,
    });
  }
  const match = /^(\d+)\.(\d+)$/.exec(ctime);
  return match === null ? null : `${match[1]}${(match[2] ?? '').slice(0, 9).padEnd(9, '0')}`;
}

function recordOf(
  context: PushContext,
  history: SentHistory,
  tokenCtime: string | null,
  entries: ReadonlyMap<BytePath, ManifestEntry>,
): SpriteRecord {
  const { plan, port, token, hashedAtMs, historyDepth, include, exclude } = context;
  return {
    spriteId: port.id,
    dir: port.dir,
    token,
    baseId: token,
    tokenCtime,
    pushedAt: new Date().toISOString(),
    hashedAtMs,
    historyDepth,
    include,
    exclude,
    repositories: history.repositories,
    keptBack: plan.keptBack.map(({ path: name }) => name),
    entries,
  };
}
