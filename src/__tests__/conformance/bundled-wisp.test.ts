import { tempDir } from '../helpers/temp-dir.ts';
import type { OpenSubject } from './subject.ts';
import { conformance } from './suite.ts';
import { BEYOND_VERBS, WispEngine } from './wisp-engine.ts';

conformance({
  name: 'the bundled wisp',
  lacks: [],
  beyond: BEYOND_VERBS,
  declares: true,
  async open(): Promise<OpenSubject> {
    const dir = tempDir();
    const env = {
      PATH: process.env.PATH ?? '',
      HOME: dir.path,
      TMPDIR: dir.path,
      WISP_HOME: dir.join('wisp'),
    };
    const engine = new WispEngine({ env });
    return {
      engine,
      run: (name, command, spec) => engine.run(name, command, spec),
      [Symbol.asyncDispose]: async () => {
        for (const { name } of await engine.list()) await engine.kill(name);
        dir[Symbol.dispose]();
      },
    };
  },
});
