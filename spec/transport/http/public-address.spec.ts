import type { LookupOptions } from 'node:dns';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { isPublicAddress, PrivateAddress, publicLookup } from '../../../src/transport/http/public-address.js';

describe('a public address', () => {
  it.each(['1.1.1.1', '8.8.8.8', '172.15.0.1', '172.32.0.1', '100.128.0.1', '223.255.255.255', '2606:4700::1111'])(
    'is %s',
    address => expect(isPublicAddress(address)).toBe(true),
  );

  it.each([
    ...['127.0.0.1', '127.255.255.254', '0.0.0.0', '10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1'],
    ...['169.254.169.254', '100.64.0.1', '192.0.0.1', '198.18.0.1', '224.0.0.1', '240.0.0.1', '255.255.255.255'],
    ...['::', '::1', 'fe80::1', 'fe80::1%lo', 'fd00::1', 'ff02::1', '::ffff:127.0.0.1', '::ffff:8.8.8.8', '::7f00:1'],
    ...['64:ff9b::7f00:1', '2001:db8::1', '2001::1', '2002:7f00:1::', '2606:4700::1111%lo'],
    ...['', 'localhost', 'example.com', '1.1.1', '0x7f000001'],
  ])('is not %s', address => expect(isPublicAddress(address)).toBe(false));

  it('is not found for a name that has none, however it is asked for', async () => {
    const look = promisify((name: string, options: LookupOptions, done: (error: Error | null) => void) =>
      publicLookup(name, options, done),
    );
    await expect(look('localhost', {})).rejects.toBeInstanceOf(PrivateAddress);
    await expect(look('localhost', { all: true, family: 4 })).rejects.toBeInstanceOf(PrivateAddress);
  });
});
