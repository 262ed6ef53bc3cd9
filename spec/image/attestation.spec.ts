import { describe, expect, it } from 'vitest';
import { isAttestation } from '../../src/content/select-platform.js';
import { attestationManifest, statementOf } from '../../src/image/attestation.js';
import { parseConfig } from '../../src/oci/config.js';
import { digestOf } from '../../src/oci/digest.js';
import { parseManifest } from '../../src/oci/manifest.js';

const image = {
  mediaType: 'application/vnd.oci.image.manifest.v1+json',
  digest: digestOf('image'),
  size: 5,
  annotations: { a: 'b' },
};
const claim = { predicateType: 'https://slsa.dev/provenance/v1', predicate: { buildDefinition: {} } };
const statement = statementOf(claim, [{ name: 'pkg:docker/app@1', digest: image.digest }]);

describe('statementOf', () => {
  it('is an in-toto statement', () => {
    expect(statement).toEqual({
      _type: 'https://in-toto.io/Statement/v1',
      predicateType: 'https://slsa.dev/provenance/v1',
      subject: [{ name: 'pkg:docker/app@1', digest: { sha256: image.digest.slice(7) } }],
      predicate: { buildDefinition: {} },
    });
  });
});

describe('attestationManifest', () => {
  it('is an artifact about an image', () => {
    const { descriptor, manifest, blobs } = attestationManifest(image, [statement], { artifact: true });
    expect(isAttestation(descriptor)).toBe(true);
    expect(descriptor).toEqual({
      ...manifest.descriptor,
      annotations: {
        'vnd.docker.reference.digest': image.digest,
        'vnd.docker.reference.type': 'attestation-manifest',
      },
      platform: { architecture: 'unknown', os: 'unknown' },
    });
    const [config, layer] = blobs;
    expect(manifest.descriptor).toMatchObject({ digest: digestOf(manifest.bytes), size: manifest.bytes.length });
    expect(JSON.parse(Buffer.from(layer!.bytes).toString())).toEqual(statement);
    expect(parseManifest(manifest.bytes)).toEqual({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      artifactType: 'application/vnd.docker.attestation.manifest.v1+json',
      config: {
        mediaType: 'application/vnd.oci.empty.v1+json',
        digest: 'sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a',
        size: 2,
        data: 'e30=',
      },
      layers: [
        {
          mediaType: 'application/vnd.in-toto+json',
          digest: digestOf(layer!.bytes),
          size: layer!.bytes.length,
          annotations: { 'in-toto.io/predicate-type': 'https://slsa.dev/provenance/v1' },
        },
      ],
      subject: { mediaType: image.mediaType, digest: image.digest, size: 5 },
    });
    expect(Buffer.from(config!.bytes).toString()).toBe('{}');
  });

  it('is dressed as an image without a platform for those that know no artifacts', () => {
    const { manifest, blobs } = attestationManifest(image, [statement], { artifact: false });
    const { artifactType, subject, config } = parseManifest(manifest.bytes);
    expect([artifactType, subject, config.mediaType]).toEqual([
      undefined,
      undefined,
      'application/vnd.oci.image.config.v1+json',
    ]);
    const { os, architecture, rootfs } = parseConfig(blobs[0]!.bytes);
    expect([os, architecture, rootfs.diff_ids]).toEqual(['unknown', 'unknown', [digestOf(blobs[1]!.bytes)]]);
  });
});
