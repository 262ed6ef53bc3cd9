import { describe, expect, it } from 'vitest';
import { type Output, outputNames, parseOutput } from '../../src/api/output.js';
import { isLadingError } from '../../src/errors/errors.js';

const amd64 = { os: 'linux', architecture: 'amd64' };
const arm64 = { os: 'linux', architecture: 'arm64' };

function codeOf(work: () => unknown): string | undefined {
  try {
    work();
  } catch (error) {
    return isLadingError(error) ? error.code : String(error);
  }
  return undefined;
}

describe('parseOutput', () => {
  it.each<[string, Partial<Output>]>([
    ['out', { type: 'local', dest: 'out' }],
    ['-', { type: 'tar', dest: '-' }],
    ['type=tar', { type: 'tar', dest: '-' }],
    ['type=local,dest=out,mode=copy', { type: 'local', dest: 'out', files: { mode: 'copy' } }],
    ['type=local,dest=out,mode=delete,platform-split=false', { files: { mode: 'delete', platformSplit: false } }],
    ['type=tar,attestation-prefix=a-,source-date-epoch=12', { files: { attestationPrefix: 'a-', epoch: 12 } }],
    ['type=tar,source-date-epoch=', { files: { epoch: undefined } }],
    ['type=cacheonly', { type: 'cacheonly' }],
    ['type=oci,dest=a.tar', { type: 'oci', dest: 'a.tar' }],
    ['type=oci,dest=a,tar=false', { type: 'oci', dest: 'a', tar: false }],
    ['TYPE=docker, Dest=a b', { type: 'docker', dest: 'a b' }],
    ['type=docker,dest=a,tar=0', { type: 'docker', dest: 'a', tar: false }],
    ['type=docker', { type: 'docker', dest: '-' }],
    ['type=image,push', { type: 'image', push: true }],
    ['type=registry,unpack=false,rewrite-timestamp=true', { type: 'registry', push: true }],
    ['type=registry,push=true', { push: true }],
    [
      'type=image,push-by-digest=true,name-canonical=True,store=false',
      { pushByDigest: true, canonicalNames: true, store: false },
    ],
    ['type=image,registry.insecure=true,prefer-nondist-layers=false', { insecure: true }],
    ['type=image,dangling-name-prefix=a/b', { danglingName: { prefix: 'a/b', fallback: false } }],
    ['type=image,danging-name-empty-only,dangling-name-prefix=b', { danglingName: { prefix: 'b', fallback: true } }],
    ['type=image,force-compression=true,compression=none', { image: { forceCompression: true, compression: 'none' } }],
    ['type=image,rewrite-timestamp=false,source-date-epoch=-5', { image: { timestamps: 'keep', epoch: -5 } }],
    ['type=image,source-date-epoch=', { image: { epoch: 946_684_800 } }],
    ['type=oci,oci-artifact=false,attestation-inline=true', { image: { artifact: false, inlineAttestations: true } }],
    ['type=image,"name=a,b:2"', { type: 'image', name: 'a,b:2' }],
    ['type=image,compression=zstd,compression-level=19', { image: { compression: 'zstd', level: 19 } }],
    ['type=image,compression=uncompressed', { image: { compression: 'none' } }],
    ['type=image,oci-mediatypes=false', { image: { mediaTypes: 'docker' } }],
    ['type=image,oci-mediatypes=true', { image: { mediaTypes: 'oci' } }],
  ])('%s', (text, output) => {
    expect(parseOutput(text)).toMatchObject(output);
  });

  it('reads annotations', () => {
    const keys = [
      'annotation.org.example.Key=a=b',
      '"annotation-index.k=1,2"',
      'annotation-manifest[linux/arm64].k=',
      'annotation-manifest-descriptor[local].k=v',
      'annotation-index-descriptor.k=v',
    ];
    const { image } = parseOutput(`type=oci,${keys.join(',')}`, amd64);
    expect(image?.annotations).toEqual([
      { place: 'manifest', key: 'org.example.Key', value: 'a=b' },
      { place: 'index', key: 'k', value: '1,2' },
      { place: 'manifest', platform: arm64, key: 'k', value: '' },
      { place: 'manifest-descriptor', platform: amd64, key: 'k', value: 'v' },
      { place: 'index-descriptor', key: 'k', value: 'v' },
    ]);
  });

  it.each([
    'dest=a',
    'type=moby',
    'type=cacheonly,dest=a',
    'type=local',
    'type=local,dest=-',
    'type=oci,tar=false',
    'type=oci,tar=perhaps',
    'type=docker,tar=false',
    'type=docker,dest=a,context=default',
    'type=oci,detst=a',
    'type=oci,dest=a"b"',
    'type=oci,"dest=a',
    'type=image,dest=a',
    'type=registry,push=false',
    'type=tar,name=a',
    'type=tar,compression=gzip',
    'type=local,dest=a,annotation.k=v',
    'type=image,compression=estargz',
    'type=image,compression-level=high',
    'type=image,compression-level=-1',
    'type=image,annotation=v',
    'type=image,annotation.=v',
    'type=image,annotation-indx.k=v',
    'type=image,__proto__=v',
    'type=image,unpack=true',
    'type=image,prefer-nondist-layers=true',
    'type=image,source-date-epoch=context',
    'type=image,source-date-epoch=999999999999',
    'type=image,danging-name-empty-only=true',
    'type=image,mode=delete',
    'type=tar,mode=delete',
    'type=local,dest=a,mode=mirror',
    'type=local,dest=a,attestation-prefix=a/b',
    'type=oci,store=false',
  ])('refuses %s', text => {
    expect(codeOf(() => parseOutput(text))).toBe('USAGE');
  });

  it('names a way out for what other builders know', () => {
    for (const attribute of ['unpack=true', 'compression=estargz', 'prefer-nondist-layers', 'comprssion=gzip']) {
      expect(() => parseOutput(`type=image,${attribute}`)).toThrow(
        expect.objectContaining({ hint: expect.any(String) }),
      );
    }
  });

  it('has its own names, or those of the build', () => {
    expect(outputNames(parseOutput('type=image,"name=a, b"'), ['c'])).toEqual(['a', 'b']);
    expect(outputNames(parseOutput('type=image'), ['c'])).toEqual(['c']);
  });
});
