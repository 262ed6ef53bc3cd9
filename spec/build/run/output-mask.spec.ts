import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { outputMask } from '../../../src/build/run/output-mask.js';

function masked(secrets: readonly string[], chunks: readonly string[]): string {
  const mask = outputMask(secrets.map(text => Buffer.from(text)));
  const pieces = chunks.map(chunk => mask.add(Buffer.from(chunk, 'latin1')));
  return Buffer.concat([...pieces, mask.end()]).toString('utf8');
}

describe('secrets in the output of a command', () => {
  it.each([
    ['a value', ['hunter22xyz'], 'is hunter22xyz!', 'is ********!'],
    ['a value that ends its file with a line', ['hunter22xyz\n'], 'is hunter22xyz!', 'is ********!'],
    ['several', ['hunter22xyz', 'swordfish'], 'swordfish hunter22xyz', '******** ********'],
    ['each line of a key', ['-----BEGIN\nAAAAAAAAAA\n-----END--'], 'AAAAAAAAAA', '********'],
    ['one that begins like another', ['abcdefgh', 'abcdefghij'], 'abcdefghij abcdefgh', '******** ********'],
    ['nothing short', ['1234567'], '1234567', '1234567'],
    ['nothing of an empty one', ['', '\n'], 'text', 'text'],
  ])('masks %s', (_, secrets, output, shown) => {
    expect(masked(secrets, [output])).toBe(shown);
  });

  it('masks what comes in pieces', () => {
    const secret = 'correct horse battery';
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 40 }), lengths => {
        const output = `a${secret}b correct horse ${secret}${secret} correc`;
        const chunks: string[] = [];
        let from = 0;
        for (const length of lengths) {
          chunks.push(output.slice(from, from + length));
          from += length;
        }
        chunks.push(output.slice(from));
        expect(masked([secret], chunks)).toBe('a********b correct horse **************** correc');
      }),
    );
  });

  it('gives out all of a text without secrets, in whole characters', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 1, max: 5 }), (text, size) => {
        const bytes = Buffer.from(text, 'utf8');
        const mask = outputMask([]);
        let shown = '';
        for (let at = 0; at < bytes.length; at += size) shown += mask.add(bytes.subarray(at, at + size)).toString();
        expect(shown + mask.end().toString()).toBe(bytes.toString());
      }),
    );
  });

  it('takes bytes that are no text', () => {
    const mask = outputMask([]);
    const bytes = Buffer.from([0xff, 0xe2, 0x28, 0xf0, 0x9f]);
    expect(Buffer.concat([mask.add(bytes), mask.end()])).toEqual(bytes);
  });
});
