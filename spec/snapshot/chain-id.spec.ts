import { expect, it } from 'vitest';
import { digestOf } from '../../src/oci/digest.js';
import { chainId } from '../../src/snapshot/chain-id.js';

it('is that of the specification', () => {
  const [a, b, c] = ['a', 'b', 'c'].map(text => ({ diffId: digestOf(text) }));
  expect(chainId([a!])).toBe(a!.diffId);
  const two = digestOf(`${a!.diffId} ${b!.diffId}`);
  expect(chainId([a!, b!])).toBe(two);
  expect(chainId([a!, b!, c!])).toBe(digestOf(`${two} ${c!.diffId}`));
  expect(chainId([])).toBe(digestOf(''));
});
