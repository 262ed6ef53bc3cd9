import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.js';
import { writeBaseSystem } from './context/base-system.js';
import { lading } from './peers/lading.js';
import type { Workbench } from './workbench.js';

export interface BaseImage {
  readonly name: string;
  /** The first part of names of images in the registry, or of names that stay in the store. */
  readonly host: string;
  /** A store of lading that has the image, as a pull leaves it. */
  readonly store: string;
  /** Of its files. */
  readonly bytes: number;
  readonly registry?: DockerRegistry | undefined;
  /** Puts the registry back to where it has the base image and nothing else, or to where it is empty. */
  resetRegistry(to: 'base' | 'empty'): Promise<void>;
}

/** Makes the image, and where there is a registry, pushes it there and pulls it into a store that is to be copied. */
export async function makeBaseImage(bench: Workbench): Promise<BaseImage> {
  const folder = bench.path('base');
  const { bytes } = await writeBaseSystem(await made(join(folder, 'rootfs')), bench.scale(3_500, 500), bench.making);
  await writeFile(join(folder, 'Dockerfile'), 'FROM scratch\nCOPY rootfs/ /\nCMD ["bash"]\n');
  const registry = bench.programs.missing(['docker-registry']).length === 0 ? await startDockerRegistry() : undefined;
  try {
    const host = registry?.host ?? 'localhost';
    const name = `${host}/bases/debian:1`;
    const first = bench.path('base-first-store');
    await bench.run(lading('build', '-q', '--root', first, '-t', name, folder));
    await bench.remove(folder);
    if (registry === undefined) return { name, host, store: first, bytes, resetRegistry: noRegistry };
    const store = bench.path('base-store');
    const kept = bench.path('base-registry');
    await bench.run(lading('push', '-q', '--insecure', '--root', first, name));
    await bench.run(lading('pull', '-q', '--insecure', '--root', store, name));
    await bench.restore(registry.data, kept);
    await bench.remove(first);
    const resetRegistry: BaseImage['resetRegistry'] = async to => {
      if (to === 'base') return bench.restore(kept, registry.data);
      await bench.remove(registry.data);
      await mkdir(registry.data);
    };
    return { name, host, store, bytes, registry, resetRegistry };
  } catch (error) {
    await registry?.stop();
    throw error;
  }
}

async function noRegistry(): Promise<never> {
  throw new Error('there is no registry on this machine');
}

async function made(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  return folder;
}
