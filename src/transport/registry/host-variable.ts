import { isIPv6 } from 'node:net';

/**
 * The name of a registry as a part of the name of a variable: in capitals, `_` for a dot, `__` for a hyphen, and `___` for the
 * colon before a port. The brackets of an IPv6 address are one `_` before it, and each of its colons is one: no host begins so.
 * `undefined` for what is not the name of a registry.
 *
 * No two registries have one name, so none gets what is for another: dots and colons stand between letters or digits, so
 * how long a row of `_` is says what it was. An even one is hyphens, of which there may be several.
 */
export function hostToVariable(registry: string): string | undefined {
  const [, address, host = '', port] = /^(?:\[([0-9a-f:]+)\]|([0-9a-z.-]+))(?::([0-9]{1,5}))?$/i.exec(registry) ?? [];
  const name =
    address === undefined ? host.replaceAll('-', '__').replaceAll('.', '_') : `_${address.replaceAll(':', '_')}`;
  const variable = `${name}${port === undefined ? '' : `___${port}`}`.toUpperCase();
  // What is not read back as the same was none: `a-.5` would pass for `a:5`.
  return variableToHost(variable) === registry.toLowerCase() ? variable : undefined;
}

/** The registry, in small letters, that a part of the name of a variable stands for; `undefined` when it stands for none. */
export function variableToHost(variable: string): string | undefined {
  const [, name, port, address, addressPort] = nameOrAddress.exec(variable) ?? [];
  if (name !== undefined) return withPort(name.replace(/_+/g, separatorOf).toLowerCase(), port);
  const colons = address?.replaceAll('_', ':').toLowerCase();
  return colons !== undefined && isIPv6(colons) ? withPort(`[${colons}]`, addressPort) : undefined;
}

const nameOrAddress =
  /^(?:([0-9A-Z]+(?:(?:_|(?:__)+)[0-9A-Z]+)*)(?:___([0-9]{1,5}))?|_([0-9A-F_]+?)(?:___([0-9]{1,5}))?)$/;

function separatorOf(row: string): string {
  return row === '_' ? '.' : '-'.repeat(row.length / 2);
}

function withPort(host: string, port: string | undefined): string {
  return port === undefined ? host : `${host}:${port}`;
}
