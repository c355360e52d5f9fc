import type { WispAnswer } from '../contract/parse.ts';
import { type CallDetails, WispCaller, type WispCallerOptions } from './wisp-client/wisp-caller.ts';

/**
 * One call of any verb: `runWispCommand(['list', '--prefix', 'a'])`. `--json` is added. Throws what wisp
 * reports, or `WISP_NOT_FOUND`, `WISP_INCOMPATIBLE`, `WISP_PROTOCOL`, `TIMEOUT`.
 */
export async function runWispCommand(
  args: readonly string[],
  options: WispCallerOptions & CallDetails = {},
): Promise<WispAnswer> {
  const hasTwoWords = ['fs', 'checkpoint', 'service', 'policy'].includes(args[0] ?? '');
  const words = args.slice(0, hasTwoWords ? 2 : 1);
  return await new WispCaller(options).ask({ words, args: args.slice(words.length) }, options);
}
