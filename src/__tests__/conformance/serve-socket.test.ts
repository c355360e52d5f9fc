import { parseApiUrl } from '../../engine/cloud/api-target.ts';
import { CloudEngine } from '../../engine/cloud/cloud-engine.ts';
import { servedApi } from '../api/served-api.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { CLOUD } from './cloud-subject.ts';
import { conformance } from './suite.ts';

conformance({
  ...CLOUD,
  name: 'wisp serve on a socket',
  async open() {
    const api = await servedApi();
    const dir = tempDir();
    const engine = new CloudEngine({
      target: parseApiUrl(`unix:${api.socket}`),
      token: null,
      stateDir: dir.path,
    });
    return {
      engine,
      [Symbol.asyncDispose]: async () => {
        await api[Symbol.asyncDispose]();
        dir[Symbol.dispose]();
      },
    };
  },
});
