/** A small root file system made of this machine's own programs and the libraries they need. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, realpathSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

const PROGRAMS = [
  'sh',
  'cat',
  'echo',
  'ls',
  'sleep',
  'id',
  'true',
  'mkdir',
  'rm',
  'mv',
  'stat',
  'kill',
  'touch',
  'chmod',
  'tar',
  'find',
];

/** Makes it in the empty directory `dir`. */
export function tinyImage(dir: string): string {
  for (const path of ['bin', 'etc', 'usr/bin', 'var/lib']) mkdirSync(join(dir, path), { recursive: true });
  for (const program of PROGRAMS) {
    const source = realpathSync(join('/bin', program));
    copyFileSync(source, join(dir, 'bin', program));
    for (const library of librariesOf(source)) {
      mkdirSync(join(dir, dirname(library)), { recursive: true });
      copyFileSync(realpathSync(library), join(dir, dirname(library), basename(library)));
    }
  }
  writeFileSync(
    join(dir, 'etc/passwd'),
    'root:x:0:0:root:/root:/bin/sh\nsomebody:x:60600:60600::/:/bin/sh\n',
  );
  writeFileSync(join(dir, 'etc/os-release'), 'NAME=Tiny\n');
  return dir;
}

function librariesOf(program: string): string[] {
  const { stdout } = spawnSync('ldd', [program], { encoding: 'utf8' });
  return [...stdout.matchAll(/(\/\S+) \(0x/g)].map(([, path]) => path ?? '').filter((path) => path !== '');
}
