import { expect, test } from 'bun:test';
import { Budget } from '../../../agent/rlm/budget.ts';
import { wreckitErrorOf } from '../../helpers/error-of.ts';

const USAGE = { inputTokens: 60, outputTokens: 40, cachedInputTokens: 0 };

test('Budget reserves sprites up to maxVMs, names the budget it refuses with, and gives room back', async () => {
  const budget = new Budget({ maxVMs: 2 });
  budget.reserveVM('a');
  budget.reserveVM('b');
  const error = await wreckitErrorOf(() => budget.reserveVM('c'));
  expect([error.code, error.details]).toEqual(['SPRITE_LIMIT', { budget: 'maxVMs', limit: 2 }]);
  budget.releaseVM('nobody');
  expect(budget.isFull).toBe(true);
  budget.releaseVM('a');
  budget.reserveVM('c');
  budget.confirmVM('c');
  expect([budget.madeVMs, budget.spent.vms]).toEqual([['c'], 2]);
});

test('Budget counts what runs at the same time, each once', async () => {
  const budget = new Budget({ maxConcurrentExecs: 1 });
  const slot = budget.takeExec();
  expect((await wreckitErrorOf(() => budget.takeExec())).details.budget).toBe('maxConcurrentExecs');
  slot[Symbol.dispose]();
  slot[Symbol.dispose]();
  expect(budget.spent.execs).toBe(0);
  using _again = budget.takeExec();
});

test('Budget is one pool: tokens, money and depth', async () => {
  const tokens = new Budget({ maxTotalTokens: 150 });
  tokens.addUsage(USAGE, null);
  tokens.assertLeft('go on');
  tokens.addUsage(USAGE, null);
  expect((await wreckitErrorOf(() => tokens.reserveVM('a'))).details.budget).toBe('maxTotalTokens');

  const money = new Budget({ maxCostUsd: 0.5 });
  money.addUsage(USAGE, 0.6);
  expect((await wreckitErrorOf(() => money.takeExec())).details.budget).toBe('maxCostUsd');

  const depth = new Budget({ maxDepth: 1 });
  depth.assertDepth(1);
  expect((await wreckitErrorOf(() => depth.assertDepth(2))).details.budget).toBe('maxDepth');
});

test('Budget ends with its time', async () => {
  const budget = new Budget({ maxSeconds: 0.000001 });
  await new Promise((resolve) => setTimeout(resolve, 1));
  expect(budget.leftMs).toBe(0);
  expect((await wreckitErrorOf(() => budget.assertLeft('go on'))).details.budget).toBe('maxSeconds');
});
