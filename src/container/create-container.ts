import { randomBytes } from 'node:crypto';
import { layersOfImage } from '../build/stage-files.js';
import type { Image } from '../image/image.js';
import type { Store } from '../store/store.js';
import type { CallOptions } from '../stream/bytes.js';
import type { Container } from './container.js';
import { checkName, nameOfId } from './container-name.js';
import { containerProcess, type ProcessOptions } from './container-process.js';
import { ContainerShelf } from './container-shelf.js';

export interface CreateContainerOptions extends CallOptions {
  readonly store: Store;
  readonly image: Image;
  /** What the image is called, for people. */
  readonly imageName: string;
  readonly name?: string | undefined;
  readonly process: ProcessOptions;
  /** Milliseconds since 1970. */
  readonly nowMs: number;
}

/** Makes a container that has not run yet. @throws LadingError USAGE, INVALID_VALUE */
export async function createContainer(options: CreateContainerOptions): Promise<Container> {
  const { store, image, imageName, process, nowMs, signal } = options;
  const id = randomBytes(32).toString('hex');
  const name = options.name ?? nameOfId(id);
  checkName(name);
  const layers = layersOfImage(image);
  const container: Container = {
    id,
    name,
    image: { name: imageName, digest: image.descriptor.digest },
    config: image.config,
    layers,
    imageLayers: layers.length,
    process: containerProcess(image.config, process, id),
    status: 'created',
    createdMs: nowMs,
  };
  await new ContainerShelf(store).add(container, { signal });
  return container;
}
