import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { rawEntry, rawPax, rawTar } from '../../layer/raw-tar.js';
import { built, writeFiles } from '../../support/building.js';

let folder: string;
let context: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lading-archive-'));
  context = writeFiles(join(folder, 'context'), { empty: '', text: 'text' });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function files(lines: string): Promise<string[]> {
  return (await built(join(folder, 'store'), context, { dockerfileText: `FROM scratch\n${lines}\n` })).files;
}

const one = rawTar(rawEntry({ name: 'd/', type: '5', mode: 0o700, uid: 3 }), rawEntry({ name: 'd/f', uid: 3 }, 'ab'));
const unpacked = ['x directory 755 0:0', 'x/d directory 700 3:0', 'x/d/f file 644 3:0 2'];

describe('ADD of an archive', () => {
  it.each([
    ['whatever its name is', 'picture.jpg', one],
    ['compressed', 'a', gzipSync(one)],
    ['with headers for all of it', 'a.tar', Buffer.concat([rawPax([['comment', 'x']], 'g'), one])],
  ])('unpacks it, %s', async (_, name, bytes) => {
    writeFileSync(join(context, name), bytes);
    expect(await files(`ADD ${name} /x`)).toEqual(unpacked);
    expect(await files(`COPY ${name} /x`)).toEqual([`x file 644 0:0 ${bytes.length}`]);
    expect(await files(`ADD --unpack=false ${name} /x`)).toEqual([`x file 644 0:0 ${bytes.length}`]);
  });

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['text', Buffer.from('text')],
    ['compressed text', gzipSync('text')],
    ['the end of a tar alone', Buffer.alloc(1024)],
  ])('copies %s as it is', async (_, bytes) => {
    writeFileSync(join(context, 'a.tar.gz'), bytes);
    expect(await files('ADD a.tar.gz /x')).toEqual([`x file 644 0:0 ${bytes.length}`]);
  });

  it('gives it an owner, but no mode, and leaves out nothing', async () => {
    writeFileSync(join(context, 'a.tar'), one);
    expect(await files('ADD --chown=5:6 --chmod=0777 --exclude=f --exclude=*/f a.tar /x')).toEqual([
      'x directory 755 5:6',
      'x/d directory 700 5:6',
      'x/d/f file 644 5:6 2',
    ]);
  });

  it('unpacks all that a wildcard finds, one over another', async () => {
    writeFileSync(join(context, '1.tar'), one);
    writeFileSync(join(context, '2.tar'), rawTar(rawEntry({ name: 'd/', type: '5' }), rawEntry({ name: 'd/g' })));
    expect(await files('ADD *.tar text /x/')).toEqual([
      'x directory 755 0:0',
      'x/d directory 644 0:0',
      'x/d/f file 644 3:0 2',
      'x/d/g file 644 0:0 0',
      'x/text file 644 0:0 4',
    ]);
  });

  it('is one although its first entry is of a kind that is not known', async () => {
    writeFileSync(join(context, 'a.tar'), rawTar(rawEntry({ name: 'label', type: 'V' }), rawEntry({ name: 'f' }, 'x')));
    await expect(files('ADD a.tar /x/')).rejects.toMatchObject({ code: 'INVALID_ARCHIVE' });
  });

  it('replaces what is of another kind', async () => {
    const text = rawEntry({ name: 'text', type: '5', mode: 0o700 });
    writeFileSync(join(context, 'a.tar'), rawTar(rawEntry({ name: 'd' }, 'x'), text, rawEntry({ name: 'text/t' })));
    writeFiles(context, { 'd/below': '' });
    expect(await files('COPY d /x/d\nCOPY text /x/text\nADD a.tar /x/')).toEqual([
      'x directory 755 0:0',
      'x/d file 644 0:0 1',
      'x/text directory 700 0:0',
      'x/text/t file 644 0:0 0',
    ]);
  });
});
