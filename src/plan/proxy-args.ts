const proxies = ['http_proxy', 'https_proxy', 'ftp_proxy', 'no_proxy', 'all_proxy'];

/** Whether a build argument, in any case, is one of the proxy settings that every RUN gets without declaring it. */
export function isProxyArg(name: string): boolean {
  return proxies.includes(name.toLowerCase());
}

/** The proxy settings among the build arguments as variables, each in upper and lower case. */
export function proxyEnvironment(buildArgs: ReadonlyMap<string, string>): string[] {
  const values = new Map<string, string>();
  // Of several spellings the last in byte order counts, so that the order of the arguments does not.
  for (const name of [...buildArgs.keys()].sort()) {
    if (isProxyArg(name)) values.set(name.toLowerCase(), buildArgs.get(name)!);
  }
  return proxies
    .filter(name => values.get(name))
    .flatMap(name => [`${name.toUpperCase()}=${values.get(name)}`, `${name}=${values.get(name)}`]);
}
