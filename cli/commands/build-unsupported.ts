import type { UnsupportedOption } from '../command.js';

/** For what says what happens anyway. */
const isOn = (value: string): boolean => value === 'true';
const isOff = (value: string): boolean => value === 'false';
const anything = (): boolean => true;

const limit = (what: string): UnsupportedOption => ({
  value: true,
  accepts: value => /^(?:|0[a-z]*|-1)$/.test(value),
  reason: `there is no limit on the ${what} of commands`,
  instead:
    'Limit the process that runs lading, for example with "systemd-run --scope -p …" or the limits of the CI job.',
});
const pointless = (value: boolean, reason: string, accepts?: UnsupportedOption['accepts']): UnsupportedOption => ({
  value,
  accepts,
  reason,
  instead: 'Leave it out.',
});
const cache: UnsupportedOption = {
  value: true,
  reason: 'the cache is in the store',
  instead: 'Keep the folder of the store (--root) between builds.',
};

/**
 * Options of `docker build`, `docker buildx build`, `podman build` and kaniko that people bring along. A value that asks for
 * what happens anyway is accepted, so that scripts run as they are; one that would not be honoured is refused.
 */
export const unsupportedBuildOptions: Readonly<Record<string, UnsupportedOption>> = {
  builder: pointless(true, 'there is one builder', anything),
  'cache-from': cache,
  'cache-to': cache,
  'cgroup-parent': limit('control group'),
  compress: pointless(false, 'the context is not sent anywhere', anything),
  'cpu-period': limit('processors'),
  'cpu-quota': limit('processors'),
  'cpu-shares': limit('processors'),
  'cpuset-cpus': limit('processors'),
  'cpuset-mems': limit('processors'),
  'disable-content-trust': pointless(false, 'there is no Notary here', isOn),
  'force-rm': pointless(false, 'there are no containers to remove', anything),
  isolation: pointless(true, 'there are no containers to isolate', value => /^(?:default)?$/.test(value)),
  layers: pointless(false, 'every instruction that changes files makes a layer', isOn),
  memory: limit('memory'),
  'memory-swap': limit('memory'),
  policy: pointless(true, 'no policy is asked about sources', value => value === 'disabled=true'),
  print: { value: true, reason: 'it has another name', instead: 'Use --call, as in --call outline.' },
  resource: limit('resources'),
  rm: pointless(false, 'there are no containers to keep', isOn),
  sbom: {
    value: true,
    accepts: value => /^(?:|0|f|false)$/i.test(value),
    reason: 'no list of what is in the image is made',
    instead: 'Make one from the result, for example with "syft", and attach it with "cosign attest".',
  },
  'security-opt': pointless(true, 'there are no containers to secure'),
  squash: {
    value: false,
    accepts: isOff,
    reason: 'layers are not merged',
    instead: 'Copy the files into a last stage: FROM scratch, then COPY --from=… / /.',
  },
  stream: pointless(false, 'the context is not sent anywhere', anything),
  volume: {
    value: true,
    reason: 'no folder of this machine is mounted',
    instead: 'Use --build-context NAME=FOLDER and COPY --from=NAME.',
  },
};
