import { localEngine } from '../helpers/local-sprite.ts';
import { conformance } from './suite.ts';

conformance({
  name: 'the local engine',
  lacks: [],
  beyond: {},
  declares: true,
  open: async () => localEngine(),
});
