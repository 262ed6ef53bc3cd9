import type { ContentSource, ContentTarget } from '../../src/content/content.js';
import { type CopyOptions, copyImage } from '../../src/content/copy.js';
import { validateImage } from '../../src/image/validate.js';
import type { Descriptor } from '../../src/oci/descriptor.js';

/** Copies an image, and checks everything that an image must fulfil in the place where it has come to. */
export async function copied(
  source: ContentSource,
  descriptor: Descriptor,
  target: ContentSource & ContentTarget,
  options?: CopyOptions,
): Promise<Descriptor> {
  const result = await copyImage(source, descriptor, target, options);
  await validateImage(target, result);
  return result;
}
