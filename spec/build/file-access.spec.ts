import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { FileAccess } from '../../src/build/file-access.js';
import { digestOf } from '../../src/oci/digest.js';
import type { FileNode, LayerRef } from '../../src/tree/node.js';

const digest = digestOf(Buffer.from('layer'));
const layer: LayerRef = { diffId: digest, blob: { mediaType: 'x/y', digest, size: 1 } };

describe('FileAccess', () => {
  it('hashes files at the same time without mixing them, and each once', async () => {
    const contents = [0, 1, 2].map(() => randomBytes(3_000_000));
    const opened: number[] = [];
    const files = new FileAccess({
      hashFiles: async () => [],
      openPart: () => Promise.reject(new Error('no blob is read here')),
      openRange: async (_, offset) => {
        opened.push(offset);
        const bytes = contents[offset]!;
        const pieces = Array.from({ length: 30 }, (_, i) => bytes.subarray(i * 100_000, (i + 1) * 100_000));
        return Readable.from(pieces, { objectMode: false });
      },
    });
    const nodes = contents.map(
      (bytes, offset): FileNode => ({
        ...{ type: 'file', mode: 0o644, uid: 0, gid: 0, mtime: 0, size: bytes.length },
        content: { kind: 'layer', layer, offset },
      }),
    );
    const digests = await Promise.all([...nodes, ...nodes].map(node => files.digest(node)));
    expect(digests).toEqual([...contents, ...contents].map(bytes => digestOf(bytes)));
    expect(opened.sort()).toEqual([0, 1, 2]);
    expect(await files.digest(nodes[0]!)).toBe(digests[0]);
    expect(opened).toHaveLength(3);
  });
});
