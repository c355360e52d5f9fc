import { fakeWisp } from '../helpers/fake-wisp.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import type { OpenSubject } from './subject.ts';
import { conformance } from './suite.ts';
import { BEYOND_VERBS, WispEngine } from './wisp-engine.ts';

/** The part of the contract that wreckit's tests rely on, so that the stand-in can't drift from it. */
conformance({
  name: 'the stand-in for wisp',
  lacks: ['checkpoints', 'services', 'policy'],
  beyond: {
    ...BEYOND_VERBS,
    root: 'its commands run as the user of the tests',
    'stderr-log': 'it keeps one log',
    'port-list': 'nothing listens in its sprites',
    confined: 'its sprites are directories of this machine',
  },
  declares: false,
  async open(): Promise<OpenSubject> {
    const dir = tempDir();
    const { path, env } = fakeWisp(dir);
    const engine = new WispEngine({ wispPath: path, env });
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
