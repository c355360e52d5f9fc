import { expect } from 'bun:test';
import { wreckitErrorOf } from '../helpers/error-of.ts';
import { eventually } from '../helpers/eventually.ts';
import { part, type Suite } from './suite.ts';

const WAIT = { timeoutMs: 30_000 };

export function serviceTests({ check }: Suite): void {
  check(
    'runs declared services in the order of their needs, and ends them',
    ['services', 'service-control'],
    async ({ engine }) => {
      const services = part(engine.services);
      await engine.start({ name: 'served' });
      const loop = (text: string) => ['sh', '-c', `echo ${text}; exec sleep 1000`];
      const spec = { needs: [], httpPort: null };
      await services.put('served', 'base', { ...spec, command: loop('base-up') });
      await services.put('served', 'web', {
        ...spec,
        command: loop('web-up'),
        needs: ['base'],
        httpPort: 8080,
      });
      const status = async (name: string) => (await services.get('served', name)).state.status;
      await eventually(
        async () => (await status('web')) === 'running' && (await status('base')) === 'running',
        WAIT,
      );
      expect((await services.list('served')).map(({ name }) => name).sort()).toEqual(['base', 'web']);
      expect((await services.get('served', 'web')).spec).toMatchObject({ needs: ['base'], httpPort: 8080 });
      const code = async (call: () => unknown) => (await wreckitErrorOf(call)).code;
      expect(
        await code(() => services.put('served', 'other', { ...spec, command: loop('x'), httpPort: 9090 })),
      ).toBe('CONFLICT');
      expect(
        await code(() => services.put('served', 'lost', { ...spec, command: loop('x'), needs: ['nosuch'] })),
      ).toBe('USAGE');
      expect(await code(() => services.get('served', 'nosuch'))).toBe('SERVICE_NOT_FOUND');
      expect(await code(() => services.remove('served', 'base'))).toBe('CONFLICT');
      const log = async () => {
        const signal = AbortSignal.timeout(10_000);
        let text = '';
        for await (const event of services.events('served', 'web', { lines: 10, follow: false, signal }))
          if (event.type === 'stdout') text += event.data;
        return text;
      };
      await eventually(async () => (await log()).includes('web-up'), WAIT);
      await services.stop('served', 'web', { timeoutMs: 5000 });
      expect(await status('web')).toBe('stopped');
      await services.start('served', 'web');
      await eventually(async () => (await status('web')) === 'running', WAIT);
      await services.remove('served', 'web');
      await services.remove('served', 'base');
      expect(await services.list('served')).toEqual([]);
      await engine.kill('served');
    },
  );
}
