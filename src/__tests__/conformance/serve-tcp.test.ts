import { parseApiUrl } from '../../engine/cloud/api-target.ts';
import { CloudEngine } from '../../engine/cloud/cloud-engine.ts';
import { engineOf, startServe } from '../api/served-process.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { CLOUD } from './cloud-subject.ts';
import { conformance } from './suite.ts';

conformance({
  ...CLOUD,
  name: 'wisp serve over TCP',
  async open() {
    const dir = tempDir();
    const server = await startServe(dir.join('wisp'));
    const engine = new CloudEngine({
      target: parseApiUrl(server.url),
      token: server.token,
      stateDir: dir.join('client'),
    });
    return {
      engine,
      [Symbol.asyncDispose]: async () => {
        server.child.kill('SIGTERM');
        await server.ended;
        const local = engineOf(dir.join('wisp'));
        for (const { name } of await local.list()) await local.kill(name);
        dir[Symbol.dispose]();
      },
    };
  },
});
