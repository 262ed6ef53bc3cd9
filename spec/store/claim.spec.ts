import { mkdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { type BlobClaim, blobClaims } from '../../src/store/claim.js';
import { FileLock } from '../../src/store/file-lock.js';
import { Session } from '../../src/store/session.js';
import { tempDir } from '../support/temp-dir.js';

describe('a claim of a blob', () => {
  let blob: string;
  let session: Session;
  let claim: BlobClaim;

  beforeEach(async () => {
    const folder = await tempDir();
    mkdirSync(join(folder, 'locks'), { recursive: true });
    blob = join(folder, 'blob');
    session = new Session(folder);
    claim = blobClaims(session, new FileLock(join(folder, 'locks', 'sweep')));
  });

  const age = (): void => utimesSync(blob, 1000, 1000);
  const isTouched = (): boolean => statSync(blob).mtimeMs > 1_000_000;

  it('touches it, once in a lease', async () => {
    writeFileSync(blob, 'content');
    age();
    expect(await claim(blob)).toBe(true);
    expect(isTouched()).toBe(true);
    age();
    expect(await claim(blob)).toBe(true);
    expect(isTouched()).toBe(false);
    // Whoever looks now finds no lease: what was touched in it is not kept any more.
    await session.close();
    expect(await claim(blob)).toBe(true);
    expect(isTouched()).toBe(true);
    await session.close();
  });

  it('does without for one that was written in the same lease', async () => {
    writeFileSync(blob, 'content');
    expect(await claim(blob, true)).toBe(true);
    age();
    expect(await claim(blob)).toBe(true);
    expect(isTouched()).toBe(false);
    await session.close();
    expect(await claim(blob)).toBe(true);
    expect(isTouched()).toBe(true);
    await session.close();
  });

  it('fails where it is not there, and succeeds when it is', async () => {
    expect(await claim(blob)).toBe(false);
    writeFileSync(blob, 'content');
    age();
    expect(await claim(blob)).toBe(true);
    expect(isTouched()).toBe(true);
    await session.close();
  });
});
