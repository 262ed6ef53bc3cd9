import type { LayerStore } from '../layer/layer-store.js';

/** What roots are made of, and where they are kept. */
export interface RootStore extends Pick<LayerStore, 'layerIndex' | 'hashFiles' | 'unpack'> {
  /** The folder of what is kept between builds. What is directly in it is deleted as a whole, while nobody works. */
  folder(kind: 'snapshots'): Promise<string>;
  /** A new folder on the same disk, which goes with this process. */
  workFolder(): Promise<string>;
}
