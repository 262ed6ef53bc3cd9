/** Media types of the OCI image specification and their Docker registry equivalents, and the predicates on them. */
export const mediaTypes = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  empty: 'application/vnd.oci.empty.v1+json',
  /** A signed or unsigned statement about an image (in-toto attestation framework). */
  inToto: 'application/vnd.in-toto+json',
  /** Type of artifact of a manifest that holds statements about another one. */
  attestation: 'application/vnd.docker.attestation.manifest.v1+json',
  layerTar: 'application/vnd.oci.image.layer.v1.tar',
  layerGzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
  layerZstd: 'application/vnd.oci.image.layer.v1.tar+zstd',
  dockerIndex: 'application/vnd.docker.distribution.manifest.list.v2+json',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerConfig: 'application/vnd.docker.container.image.v1+json',
  dockerLayerTar: 'application/vnd.docker.image.rootfs.diff.tar',
  dockerLayerGzip: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
  dockerLayerZstd: 'application/vnd.docker.image.rootfs.diff.tar.zstd',
} as const;

export type Compression = 'none' | 'gzip' | 'zstd';

const layerCompression: Readonly<Record<string, Compression>> = {
  [mediaTypes.layerTar]: 'none',
  [mediaTypes.layerGzip]: 'gzip',
  [mediaTypes.layerZstd]: 'zstd',
  [mediaTypes.dockerLayerTar]: 'none',
  [mediaTypes.dockerLayerGzip]: 'gzip',
  [mediaTypes.dockerLayerZstd]: 'zstd',
  'application/vnd.oci.image.layer.nondistributable.v1.tar': 'none',
  'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip': 'gzip',
  'application/vnd.oci.image.layer.nondistributable.v1.tar+zstd': 'zstd',
  'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip': 'gzip',
};

export function isIndexType(mediaType: string): boolean {
  return mediaType === mediaTypes.index || mediaType === mediaTypes.dockerIndex;
}

export function isManifestType(mediaType: string): boolean {
  return mediaType === mediaTypes.manifest || mediaType === mediaTypes.dockerManifest;
}

export function isConfigType(mediaType: string): boolean {
  return mediaType === mediaTypes.config || mediaType === mediaTypes.dockerConfig;
}

/** How a layer of this media type is compressed; `undefined` when it is not a file system layer. */
export function compressionOf(mediaType: string): Compression | undefined {
  return Object.hasOwn(layerCompression, mediaType) ? layerCompression[mediaType] : undefined;
}

export function isLayerType(mediaType: string): boolean {
  return compressionOf(mediaType) !== undefined;
}

/** Layers that their licence keeps out of other registries; copied only on request. */
export function isForeignLayerType(mediaType: string): boolean {
  return mediaType.includes('nondistributable') || mediaType.includes('.foreign.');
}

export function layerMediaType(compression: Compression, style: 'oci' | 'docker' = 'oci'): string {
  const types =
    style === 'oci'
      ? { none: mediaTypes.layerTar, gzip: mediaTypes.layerGzip, zstd: mediaTypes.layerZstd }
      : { none: mediaTypes.dockerLayerTar, gzip: mediaTypes.dockerLayerGzip, zstd: mediaTypes.dockerLayerZstd };
  return types[compression];
}
