import { layerRecord } from '../cache/layer-record.js';
import type { RecordValue } from '../cache/record.js';
import type { StepCache } from '../cache/step-cache.js';
import { layerEntries } from '../layer/layer-entries.js';
import { readDigestBy } from '../layer/plan-layer.js';
import { segmentFormat } from '../layer/segment-format.js';
import { type Compression, compressionOf } from '../oci/media-types.js';
import type { CallOptions } from '../stream/bytes.js';
import { digestMismatch } from '../stream/verified.js';
import type { LayerRef } from '../tree/node.js';
import type { BuiltPlatform } from './build.js';
import type { BuildStore } from './inputs.js';

export interface VariantLayersOptions extends CallOptions {
  readonly store: BuildStore;
  readonly cache: StepCache;
}

interface LayerStyle {
  readonly compression: Compression;
  readonly level: number | undefined;
  readonly forceCompression: boolean;
}

/**
 * The layers of a build as they are wanted: those that it made as if it had compressed them so in the first place, those of
 * the base image as they came, unless they are forced. Nothing is compressed twice: what was made is remembered.
 */
export async function variantLayers(
  built: BuiltPlatform,
  style: LayerStyle,
  options: VariantLayersOptions,
): Promise<readonly LayerRef[]> {
  const { compression, level } = style;
  const same = built.compression === compression && built.level === level;
  const layers: LayerRef[] = [];
  for (const [i, layer] of built.layers.entries()) {
    if (i >= built.baseLayers) layers.push(same ? layer : await packedAgain(layer, style, options));
    else if (!style.forceCompression || compressionOf(layer.blob.mediaType) === compression) layers.push(layer);
    else layers.push(await recompressed(layer, style, options));
  }
  return layers;
}

/** Packs the entries of a layer of ours, which gives the bytes that a build with this compression gives. */
async function packedAgain(layer: LayerRef, style: LayerStyle, options: VariantLayersOptions): Promise<LayerRef> {
  const { store, signal } = options;
  const { compression, level } = style;
  const index = await store.layerIndex(layer, { signal });
  const readDigest = readDigestBy(({ digest }) => digest);
  const plan = await store.planLayer(layerEntries(index, layer), { compression, level, readDigest, signal });
  try {
    return await remembered(layerRecord(plan!.contents), layer, options, async () => {
      const { layer: packed } = await plan!.pack();
      if (packed.diffId !== layer.diffId) throw digestMismatch(layer.diffId, packed.diffId);
      return packed;
    });
  } finally {
    await plan!.close();
  }
}

async function recompressed(layer: LayerRef, style: LayerStyle, options: VariantLayersOptions): Promise<LayerRef> {
  const { compression, level } = style;
  const { recipe } = segmentFormat(compression, level);
  const record = { kind: 'recompressed', version: 2, diffId: layer.diffId, recipe };
  const { signal } = options;
  return await remembered(record, layer, options, () =>
    options.store.recompressLayer(layer, { compression, level, signal }),
  );
}

async function remembered(
  record: RecordValue,
  { diffId }: LayerRef,
  { cache, signal }: VariantLayersOptions,
  make: () => Promise<LayerRef>,
): Promise<LayerRef> {
  const known = await cache.get(record, { signal });
  if (known !== undefined) return known;
  const made = await make();
  await cache.put(record, made, { title: `compress ${diffId}`, file: '', line: 0, slot: {} }, { signal });
  return made;
}
