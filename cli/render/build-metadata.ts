import type { BuildImageResult, Diagnostic, Platform } from '../../src/index.js';
import { formatJson } from './json.js';

export interface BuildMetadataOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What lint rules have found. */
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * What a build has made, as `docker buildx build --metadata-file` writes it. As there, BUILDX_METADATA_PROVENANCE says how
 * much of the provenance is in it, and BUILDX_METADATA_WARNINGS whether warnings are.
 */
export function buildMetadata(result: BuildImageResult, options: BuildMetadataOptions): string {
  const { descriptor, images, names, pushed } = result;
  const { env, diagnostics } = options;
  const { mediaType, digest, size, annotations } = descriptor;
  // A single image that is no index is what the descriptor is of.
  const only = images.find(image => image.descriptor.digest === digest);
  const allNames = [...new Set([...names, ...pushed])];
  const warnings = isTrue(env['BUILDX_METADATA_WARNINGS']) ? diagnostics.map(warningOf) : [];
  return formatJson({
    ...provenances(result, env['BUILDX_METADATA_PROVENANCE']),
    ...(warnings.length === 0 ? {} : { 'buildx.build.warnings': warnings }),
    ...(only === undefined ? {} : { 'containerimage.config.digest': only.configDigest }),
    'containerimage.descriptor': {
      mediaType,
      digest,
      size,
      ...(annotations === undefined ? {} : { annotations }),
      ...(only === undefined ? {} : { platform: only.platform }),
    },
    'containerimage.digest': digest,
    ...(allNames.length === 0 ? {} : { 'image.name': allNames.join(',') }),
  });
}

/** Under one key, or for several platforms under one each. */
function provenances({ images }: BuildImageResult, mode = 'min'): object {
  if (['disabled', 'false', '0'].includes(mode)) return {};
  const key = 'buildx.build.provenance';
  return Object.fromEntries(
    images.map(({ platform, provenance }) => {
      const { buildConfig: _, metadata: __, ...least } = provenance;
      return [images.length === 1 ? key : `${key}/${platformText(platform)}`, mode === 'max' ? provenance : least];
    }),
  );
}

/** As BuildKit's progress has it, which writes text as base64. */
function warningOf({ rule, message, range, hint }: Diagnostic): object {
  const { file, start, end } = range;
  return {
    level: 1,
    short: base64(`${rule}: ${message} (line ${start.line})`),
    ...(hint === undefined ? {} : { detail: [base64(hint)] }),
    sourceInfo: { filename: file, language: 'Dockerfile' },
    range: [{ start: { line: start.line }, end: { line: end.line } }],
  };
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

function isTrue(text: string | undefined): boolean {
  return /^(?:1|t|true)$/i.test(text ?? '');
}

function platformText({ os, architecture, variant }: Platform): string {
  return [os, architecture, variant].filter(Boolean).join('/');
}
