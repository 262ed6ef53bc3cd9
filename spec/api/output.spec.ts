import { describe, expect, it } from 'vitest';
import { imageSettings } from '../../src/api/image-settings.js';
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
    ['type=local,dest=out,mode=copy', { type: 'local', dest: 'out' }],
    ['type=oci,dest=a.tar', { type: 'oci', dest: 'a.tar' }],
    ['type=oci,dest=a,tar=false', { type: 'oci', dest: 'a', tar: false }],
    ['TYPE=docker, Dest=a b', { type: 'docker', dest: 'a b' }],
    ['type=image,push', { type: 'image', push: true }],
    ['type=registry,unpack=false,rewrite-timestamp=true', { type: 'registry', push: true }],
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
    'type=cacheonly',
    'type=local',
    'type=local,dest=-',
    'type=oci,tar=false',
    'type=oci,tar=perhaps',
    'type=docker,dest=a,tar=false',
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
    'type=image,push-by-digest=true',
    'type=image,force-compression=true',
    'type=image,rewrite-timestamp=false',
    'type=image,source-date-epoch=0',
    'type=image,registry.insecure=true',
    'type=image,store=false',
  ])('refuses %s', text => {
    expect(codeOf(() => parseOutput(text))).toBe('USAGE');
  });

  it('names a way out for what other builders know', () => {
    for (const attribute of ['unpack=true', 'push-by-digest=true', 'source-date-epoch=1', 'comprssion=gzip']) {
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

describe('imageSettings', () => {
  const outputs = (...texts: string[]) => texts.map(text => parseOutput(text));

  it('takes what the outputs agree on', () => {
    expect(imageSettings({}, [amd64])).toEqual({
      compression: 'gzip',
      level: undefined,
      style: 'oci',
      annotations: [],
    });
    const one = outputs('type=image,compression=zstd,compression-level=3,oci-mediatypes=false', 'type=tar', 'out');
    expect(imageSettings({ outputs: one }, [amd64])).toMatchObject({ compression: 'zstd', level: 3, style: 'docker' });
    const two = outputs('type=image,annotation.a=1', 'type=oci,dest=x,annotation.a=1');
    expect(imageSettings({ outputs: two }, [amd64]).annotations).toHaveLength(1);
    expect(imageSettings({ compression: 'zstd', outputs: outputs('type=image') }, [amd64]).compression).toBe('zstd');
  });

  it.each([
    [{ outputs: outputs('type=image,compression=zstd', 'type=oci,dest=x') }],
    [{ outputs: outputs('type=image,annotation.a=1', 'type=oci,dest=x,annotation.a=2') }],
    [{ outputs: outputs('type=image,oci-mediatypes=false,annotation.a=1') }],
    [{ compression: 'gzip' as const, outputs: outputs('type=image,compression=zstd') }],
    [{ level: 10 }],
    [{ level: 0, compression: 'zstd' as const }],
    [{ level: 1, compression: 'none' as const }],
    [{ level: Number.NaN }],
    [{ outputs: outputs('type=image,annotation-index.a=1') }],
    [{ outputs: outputs('type=image,annotation-index-descriptor.a=1') }],
    [{ outputs: outputs('type=image,annotation-manifest[linux/arm64].a=1') }],
  ])('refuses %j', options => {
    expect(codeOf(() => imageSettings(options, [amd64]))).toBe('USAGE');
  });
});
