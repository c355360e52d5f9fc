import { localEngine } from '../helpers/local-sprite.ts';
import { conformance } from './suite.ts';

conformance({
  name: 'the local engine',
  lacks: ['services'],
  beyond: {},
  declares: true,
  open: async () => localEngine(),
});
