import type { UnsupportedOption } from '../command.js';

const limit = (what: string): UnsupportedOption => ({
  value: true,
  reason: `there is no limit on the ${what} of commands`,
  instead:
    'Limit the process that runs lading, for example with "systemd-run --scope -p …" or the limits of the CI job.',
});
const pointless = (value: boolean, reason: string): UnsupportedOption => ({ value, reason, instead: 'Leave it out.' });
const cache: UnsupportedOption = {
  value: true,
  reason: 'the cache is in the store',
  instead: 'Keep the folder of the store (--root) between builds.',
};

/** Options of `docker build`, `docker buildx build`, `podman build` and kaniko that people bring along. */
export const unsupportedBuildOptions: Readonly<Record<string, UnsupportedOption>> = {
  'add-host': {
    value: true,
    reason: 'commands see the hosts of this machine',
    instead: 'Name the host in /etc/hosts or DNS.',
  },
  allow: pointless(true, 'nothing is entitled to more than the rest'),
  attest: {
    value: true,
    reason: 'attestations are not made',
    instead: 'Attach them to the pushed image, for example with "cosign attest".',
  },
  builder: pointless(true, 'there is one builder'),
  'cache-from': cache,
  'cache-to': cache,
  'cgroup-parent': limit('control group'),
  compress: pointless(false, 'the context is not sent anywhere'),
  'cpu-period': limit('processors'),
  'cpu-quota': limit('processors'),
  'cpu-shares': limit('processors'),
  'cpuset-cpus': limit('processors'),
  'cpuset-mems': limit('processors'),
  'disable-content-trust': pointless(false, 'there is no Notary here'),
  'force-rm': pointless(false, 'there are no containers to remove'),
  isolation: pointless(true, 'there are no containers to isolate'),
  layers: pointless(false, 'every instruction that changes files makes a layer'),
  load: {
    value: false,
    reason: 'the image is in the store of lading, and no engine is spoken to',
    instead: 'For an engine: lading save NAME | docker load.',
  },
  memory: limit('memory'),
  'memory-swap': limit('memory'),
  network: {
    value: true,
    reason: 'the network of commands is not chosen for a whole build',
    instead: 'Write RUN --network=none in the Dockerfile.',
  },
  policy: pointless(true, 'no policy is asked about sources'),
  print: { value: true, reason: 'it has another name', instead: 'Use --call, as in --call outline.' },
  provenance: { value: true, reason: 'attestations are not made', instead: 'Leave it out.' },
  rm: pointless(false, 'there are no containers to remove'),
  sbom: {
    value: true,
    reason: 'attestations are not made',
    instead: 'Make one from the result, for example with "syft".',
  },
  secret: {
    value: true,
    reason: 'secrets cannot be handed to commands',
    instead: 'Copy what needs the secret from a stage or context that was made outside (--build-context).',
  },
  'security-opt': pointless(true, 'there are no containers to secure'),
  'shm-size': limit('memory'),
  squash: {
    value: false,
    reason: 'layers are not merged',
    instead: 'Copy the files into a last stage: FROM scratch, then COPY --from=… / /.',
  },
  ssh: { value: true, reason: 'no SSH agent is forwarded', instead: 'Fetch the sources first and COPY them.' },
  stream: pointless(false, 'the context is not sent anywhere'),
  ulimit: limit('resources'),
  volume: {
    value: true,
    reason: 'no folder of this machine is mounted',
    instead: 'Use --build-context NAME=FOLDER and COPY --from=NAME.',
  },
};
