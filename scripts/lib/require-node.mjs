/**
 * Ends the program with exit code 6 on a Node older than `minimum` ("20.18"). Plain enough for any Node to
 * read; the build writes this function's text into the start of each Node bundle.
 */
export function requireNode(name, minimum) {
  const [major, minor] = process.versions.node.split('.').map(Number);
  const [wantedMajor, wantedMinor] = minimum.split('.').map(Number);
  if (major > wantedMajor || (major === wantedMajor && minor >= wantedMinor)) return;
  const message = `start: Node ${process.versions.node} is too old, ${minimum} or newer is needed`;
  const hint = `install Node ${minimum} or newer (https://nodejs.org)`;
  const options = process.argv.includes('--')
    ? process.argv.slice(0, process.argv.indexOf('--'))
    : process.argv;
  if (options.includes('--json')) {
    const error = { code: 'ENGINE_UNAVAILABLE', message, hint, retryable: false, details: {} };
    process.stdout.write(`${JSON.stringify({ success: false, verb: 'start', error })}\n`);
  }
  process.stderr.write(`${name}: ${message}\nhint: ${hint}\n`);
  process.exit(6);
}
