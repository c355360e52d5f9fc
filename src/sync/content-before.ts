/** The content a file had when it was pushed: kept in the change set, or in a commit. */
import fs from 'node:fs';
import { blobFile, type Change, type ChangeSet } from './change-set.ts';
import { gitBytes } from './git.ts';
import { findRepository, gitAt } from './git-repository.ts';
import { repositoryOf } from './ignored-paths.ts';
import { hashContent, WHOLE_FILE_BYTES } from './read-content.ts';

/** Null where it is nowhere any more, or too big to be merged. */
export async function contentBefore(
  changeSet: ChangeSet,
  { path: name, before, beforeBlob, beforeOid }: Change,
  signal?: AbortSignal,
): Promise<Buffer | null> {
  if (before?.kind !== 'file' || before.sizeBytes > WHOLE_FILE_BYTES) return null;
  const content =
    beforeBlob !== null
      ? fs.readFileSync(blobFile(changeSet, beforeBlob))
      : beforeOid !== null
        ? await readBlob(changeSet, name, beforeOid, signal)
        : null;
  return content !== null && hashContent(content, null).sha256 === before.sha256 ? content : null;
}

async function readBlob(
  changeSet: ChangeSet,
  name: string,
  oid: string,
  signal?: AbortSignal,
): Promise<Buffer | null> {
  const places = changeSet.repositories.map(({ at }) => at).filter((at) => at !== '');
  const at = repositoryOf(name, places);
  const dir = at === '' ? changeSet.root : `${changeSet.root}/${Buffer.from(at, 'latin1').toString('utf8')}`;
  const found = await findRepository(dir, signal);
  if (found.kind !== 'repository') return null;
  return await gitBytes(['cat-file', 'blob', oid], { ...gitAt(found.repository), signal });
}
