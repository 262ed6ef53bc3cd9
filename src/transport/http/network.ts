import { BlockList, isIP } from 'node:net';

/** Whether an address lies in a network such as `10.0.0.0/8`; never in one that is written wrongly. */
export function inNetwork(address: string, network: string, prefix: number): boolean {
  const family = isIP(network);
  if (isIP(address) === 0 || family === 0 || prefix > (family === 4 ? 32 : 128)) return false;
  const list = new BlockList();
  list.addSubnet(network, prefix, family === 4 ? 'ipv4' : 'ipv6');
  return list.check(address, isIP(address) === 4 ? 'ipv4' : 'ipv6');
}

/** The parts of `NETWORK/PREFIX`; `undefined` for what is not of this form. */
export function parseNetwork(text: string): { readonly network: string; readonly prefix: number } | undefined {
  const [, network, prefix] = /^([^/]+)\/(\d{1,3})$/.exec(text) ?? [];
  return network === undefined ? undefined : { network, prefix: Number(prefix) };
}
