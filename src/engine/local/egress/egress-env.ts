/** How programs in a filtered sprite find the way out. */

/** On the sprite's loopback. */
export const EGRESS_PORT = 3128;

/** What programs look at to find the proxy. Node's own fetch does so when it is told to. */
export const EGRESS_ENV: Readonly<Record<string, string>> = {
  ...proxyVariables(`http://127.0.0.1:${EGRESS_PORT}`),
  NO_PROXY: 'localhost,127.0.0.1,::1',
  no_proxy: 'localhost,127.0.0.1,::1',
  NODE_USE_ENV_PROXY: '1',
};

function proxyVariables(url: string): Record<string, string> {
  const names = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY'];
  return Object.fromEntries(names.flatMap((name) => [name, name.toLowerCase()]).map((name) => [name, url]));
}
