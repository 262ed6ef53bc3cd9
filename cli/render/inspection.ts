import type { Inspection } from '../../src/index.js';
import { printableLine } from './printable.js';
import { formatSize } from './size.js';

/** An image for people: what runs, with which settings, and from which layers. */
export function formatInspection(inspection: Inspection, verified: boolean): string {
  const { name, descriptor, index, manifestDescriptor, manifest, config, attestations } = inspection;
  const { config: container = {} } = config;
  const lines: Array<readonly [string, string | undefined]> = [
    ['Name', name],
    ['Digest', descriptor.digest],
    ['Manifest', index === undefined ? undefined : manifestDescriptor.digest],
    ['Config', manifest.config.digest],
    ['Type', descriptor.mediaType],
    [
      'Platforms',
      index === undefined
        ? undefined
        : list(index.manifests.map(({ platform }) => platformText(platform)).filter(isReal)),
    ],
    ['Attestations', list(attestations.map(({ predicateType }) => predicateType))],
    ['Platform', platformText(config)],
    ['Created', config.created ?? undefined],
    ['Author', config.author],
    ['Entrypoint', command(container.Entrypoint)],
    ['Command', command(container.Cmd)],
    ['Directory', container.WorkingDir],
    ['User', container.User],
    ['Ports', list(Object.keys(container.ExposedPorts ?? {}))],
    ['Volumes', list(Object.keys(container.Volumes ?? {}))],
    ['Stop signal', container.StopSignal],
    ['Health check', command(container.Healthcheck?.Test)],
    ['Shell', command(container.Shell)],
    ['Verified', verified ? 'every byte' : undefined],
  ];
  const settings = (title: string, values: readonly string[]): string =>
    values.length === 0 ? '' : `${title}:\n${values.map(value => `  ${printableLine(value)}\n`).join('')}`;
  const labels = Object.entries(container.Labels ?? {}).map(([key, value]) => `${key}=${value}`);
  const layers = manifest.layers.map(({ digest, size }) => `${digest}  ${formatSize(size)}`);
  const total = manifest.layers.reduce((sum, { size }) => sum + size, 0);
  return (
    lines
      .filter(([, value]) => value)
      .map(([title, value]) => `${`${title}:`.padEnd(14)}${printableLine(value!)}\n`)
      .join('') +
    settings('Environment', container.Env ?? []) +
    settings('Labels', labels) +
    settings(`Layers, ${formatSize(total)}`, layers)
  );
}

/** Attestations have a platform that no machine is. */
function isReal(platform: string): boolean {
  return platform !== 'unknown/unknown';
}

function command(words: readonly string[] | undefined | null): string | undefined {
  return words?.length ? JSON.stringify(words) : undefined;
}

function list(values: readonly string[]): string | undefined {
  return values.length === 0 ? undefined : values.join(', ');
}

function platformText(
  platform: { os: string; architecture: string; variant?: string | undefined } | undefined,
): string {
  return platform === undefined
    ? '?'
    : [platform.os, platform.architecture, platform.variant].filter(Boolean).join('/');
}
