import type { BlobMounter, ContentTarget, MountOrigin } from './content.js';

/** A target that tells what it has and takes nothing: what a copy to it tells is what a copy would do. */
export function rehearsed(target: ContentTarget & Partial<BlobMounter & MountOrigin>): ContentTarget {
  const { mountOrigin } = target;
  return {
    has: (descriptor, options) => target.has(descriptor, options),
    put: async () => {},
    tag: async () => {},
    ...(mountOrigin === undefined ? {} : { mountOrigin, mount: async () => true }),
  };
}
