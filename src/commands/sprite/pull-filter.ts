/**
 * What of a sprite's archive is left where it is: git directories and wreckit's settings (they name programs that
 * git and wreckit run here), links that lead out, devices and pipes. Names that lead out are not left out but make
 * the whole archive invalid, as they don't come about by themselves: see src/archive.
 */
import { safeComponents, symlinkFault } from '../../archive/safe-path.ts';
import { printableName } from '../../archive/tar-member.ts';
import { readTar, type TarEntry } from '../../archive/tar-reader.ts';
import type { TarInput } from '../../archive/tar-writer.ts';
import { isGitName, isWreckitSettings } from '../../sync/path-safety.ts';

export interface LeftThere {
  readonly path: string;
  readonly reason: string;
}

/** The members to unpack, in order; the others go to `onLeft`. */
export async function* pullableMembers(
  tar: AsyncIterable<Uint8Array>,
  onLeft: (left: LeftThere) => void,
): AsyncGenerator<TarInput> {
  const left = new Set<string>();
  for await (const member of readTar(tar)) {
    const reason = reasonToLeave(member, left);
    if (reason === null) {
      yield inputOf(member);
      continue;
    }
    left.add(member.name.toString('latin1'));
    if (!UNNAMED.has(reason)) onLeft({ path: printableName(member.name), reason });
  }
}

const BELOW_GIT = 'is in a git directory';
const OWN_DIRECTORY = "is wreckit's directory";
const OWN_NOTE = "is wreckit's note of what it sent";
/**
 * What is below a git directory goes with it. wreckit's own directory comes about with the first file in it that is
 * taken; without one it would make a project of the copy.
 */
const UNNAMED: ReadonlySet<string> = new Set([BELOW_GIT, OWN_DIRECTORY, OWN_NOTE]);

function reasonToLeave(member: TarEntry, left: ReadonlySet<string>): string | null {
  const components = safeComponents(member.name);
  if (typeof components === 'string') return null;
  const names = components.map((component) => component.toString('latin1'));
  const gitAt = names.findIndex((name) => isGitName(name));
  if (gitAt >= 0) return gitAt === names.length - 1 ? 'is a git directory' : BELOW_GIT;
  const wreckit = wreckitReason(names.join('/'), member.type);
  if (wreckit !== null) return wreckit;
  if (member.type === 'other') return 'is not a file, directory or link';
  if (member.type === 'symlink') return symlinkFault(member.linkName, components.length - 1);
  const isLinkToLeft = member.type === 'hardlink' && left.has(member.linkName.toString('latin1'));
  return isLinkToLeft ? 'is a hard link to something that stays there' : null;
}

function wreckitReason(path: string, type: TarEntry['type']): string | null {
  if (/(^|\/)\.wreckit\/sync(\/|$)/i.test(path)) return OWN_NOTE;
  if (!isWreckitSettings(path)) return null;
  return type === 'directory' ? OWN_DIRECTORY : 'says how wreckit runs programs here';
}

function inputOf({ name, type, mode, mtimeSeconds, sizeBytes, linkName, content }: TarEntry): TarInput {
  const common = { name, mode, mtimeSeconds, sizeBytes, linkName, content };
  return { ...common, type: type === 'other' ? 'file' : type };
}
