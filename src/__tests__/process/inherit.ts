/** Hands its own three streams to a child: what the test feeds and reads goes through two processes. */
import { run } from '../../process/run.ts';

void run(['sh', '-c', 'cat; printf "and this" >&2'], {
  stdin: 'inherit',
  stdout: 'inherit',
  stderr: 'inherit',
});
