import type { RecordValue } from '../../cache/record.js';
import { formatPlatformFull, type Platform } from '../../oci/platform.js';
import type { RunMount } from '../../plan/run-mount.js';
import type { RunStep } from '../../plan/step.js';
import type { LayerRef } from '../../tree/node.js';
import type { BoundFiles } from './bound-files.js';
import type { CommandSettings } from './command-settings.js';

/** Changes when the same command would be run in another way. */
const formatVersion = 1;

export interface CommandRecordOptions {
  /** What the command stands on, oldest first. */
  readonly layers: readonly LayerRef[];
  readonly platform: Platform;
  readonly settings: CommandSettings;
  /** What is mounted, for those mounts that have files of the build. */
  readonly bound: ReadonlyMap<RunMount, BoundFiles>;
  /** What times in the layer are held to; absent when they are kept. */
  readonly epoch: number | undefined;
}

/**
 * All that decides what a command does, as far as a builder can know: not what secrets, agents and caches hold, nor proxies,
 * nor the addresses of hosts, and not the way of running it, which makes no difference to the result.
 */
export function commandRecord(step: RunStep, options: CommandRecordOptions): RecordValue {
  const { layers, platform, settings, bound, epoch } = options;
  const { argv, script, env, cwd, user, network, security = 'sandbox' } = step;
  return {
    kind: 'run',
    version: formatVersion,
    below: layers.map(layer => layer.diffId),
    argv,
    script: script?.content ?? null,
    env,
    cwd,
    user,
    hostname: settings.hostname,
    network: settings.network ?? network ?? 'default',
    security,
    hosts: settings.extraHosts.map(({ host }) => host),
    shmSize: settings.shmSizeBytes ?? null,
    limits: settings.limits.map(({ name, soft, hard }) => ({ name, soft, hard })),
    mounts: step.mounts.map(mount => mountRecord(mount, bound.get(mount))),
    platform: formatPlatformFull(platform),
    epoch: epoch ?? null,
  };
}

function mountRecord(mount: RunMount, files: BoundFiles | undefined): RecordValue {
  switch (mount.type) {
    case 'bind':
      return { type: mount.type, target: mount.target, readOnly: mount.readOnly, files: files!.digest };
    case 'cache': {
      const { type, target, id, source, sharing, readOnly, permissions } = mount;
      return { type, target, id, source, sharing, readOnly, permissions: permissions && { ...permissions } };
    }
    case 'tmpfs':
      return { type: mount.type, target: mount.target, size: mount.sizeBytes ?? null, readOnly: mount.readOnly };
    case 'secret': {
      const { type, id, target, env, required, permissions } = mount;
      return { type, id, target, env, required, permissions: { ...permissions } };
    }
    case 'ssh': {
      const { type, id, target, required, permissions } = mount;
      return { type, id, target, required, permissions: { ...permissions } };
    }
  }
}
