import type { Subject } from './subject.ts';

/** What is the same of every server of the Sprites API. */
export const CLOUD: Pick<Subject, 'lacks' | 'beyond' | 'declares'> = {
  lacks: ['stop'],
  beyond: { from: 'the API copies no sprites' },
  declares: true,
};
