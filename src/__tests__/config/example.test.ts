import { expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { DEFAULT_CONFIG } from '../../config/defaults.ts';
import { project } from './project.ts';

const example = readFileSync(new URL('../../../.wreckitrc.example', import.meta.url), 'utf8');

test('.wreckitrc.example loads as it is and shows the defaults', async () => {
  const { config, ignored, notices } = await project({ '.wreckitrc': example }).load();
  expect(config).toEqual(DEFAULT_CONFIG);
  expect([...ignored, ...notices]).toEqual([]);
});

test('.wreckitrc.example shows settings in its comments that load, too', async () => {
  const settings = example
    .replace(/^(\s*)\/\/ (?="\w+":)/gm, '$1')
    .replace('"network": "none"', '"network": "filtered"');
  expect(settings).not.toBe(example);
  const { config } = await project({ '.wreckitrc': settings }).load();
  expect(config.agent).toMatchObject({
    kind: 'sprite',
    network: 'filtered',
    vmName: 'demo',
    agent: { aiProvider: 'anthropic', model: 'claude-sonnet-4-5' },
  });
});
