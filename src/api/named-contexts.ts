import { resolve } from 'node:path';
import type { BaseImages, NamedContext, NamedContexts } from '../build/inputs.js';
import { copyImage } from '../content/copy.js';
import { LadingError } from '../errors/errors.js';
import { openImage } from '../image/image.js';
import { isDigest } from '../oci/digest.js';
import type { Store } from '../store/store.js';
import { contextIgnore } from './context-files.js';
import { type TransferOptions, withEndpoint } from './registry-access.js';

export interface NamedContextOptions extends TransferOptions {
  readonly store: Store;
  readonly images: BaseImages;
  /** What relative folders start from. */
  readonly directory: string;
  /** Read manifest and config of a layout where they are, and leave nothing in the store. */
  readonly configsOnly?: boolean | undefined;
  readonly onWarning?: ((message: string) => void) | undefined;
}

/**
 * `--build-context NAME=VALUE` as contexts: `docker-image://REF`, `oci-layout://DIR[:tag][@digest]`, or a folder.
 * @throws LadingError UNSUPPORTED for other kinds, IO for a folder that is not there
 */
export async function namedContexts(
  values: Readonly<Record<string, string>>,
  options: NamedContextOptions,
): Promise<NamedContexts> {
  const contexts = new Map<string, NamedContext>();
  for (const [name, value] of Object.entries(values)) contexts.set(name, await namedContext(name, value, options));
  return contexts;
}

async function namedContext(name: string, value: string, options: NamedContextOptions): Promise<NamedContext> {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//.exec(value)?.[1];
  const rest = scheme === undefined ? value : value.slice(scheme.length + 3);
  if (scheme === 'docker-image') {
    return { kind: 'image', reference: rest, open: (platform, call) => options.images.open(rest, platform, call) };
  }
  if (scheme === 'oci-layout') return layoutContext(rest, options);
  if (scheme !== undefined && scheme !== 'local') {
    throw new LadingError('UNSUPPORTED', `build context ${name}: ${scheme}:// is not supported`, {
      details: { feature: `build context ${scheme}://` },
      hint: 'Use a folder, docker-image://REF or oci-layout://DIR[:tag].',
    });
  }
  const path = resolve(options.directory, rest.replace(/^local:/, ''));
  return {
    kind: 'directory',
    path,
    ignore: await contextIgnore(path, { storeRoot: options.store.root, onWarning: options.onWarning }),
  };
}

function layoutContext(text: string, options: NamedContextOptions): NamedContext {
  const { path: written, reference } = splitLayout(text);
  const path = resolve(options.directory, written);
  return {
    kind: 'image',
    open: async (platform, call) => {
      const settings = { ...options, ...call, access: 'read' } as const;
      return await withEndpoint({ transport: 'oci-layout', path, name: reference }, settings, async source => {
        const descriptor = await source.resolve(source.name, call);
        if (options.configsOnly) {
          return await openImage(source, descriptor, { platform, ...call });
        }
        const copied = await copyImage(source, descriptor, options.store, { platforms: [platform], ...call });
        return await openImage(options.store, copied, { platform, ...call });
      });
    },
  };
}

/** `DIR[:tag][@digest]`: a digest wins over a tag; a colon belongs to the tag only when no slash follows it. */
function splitLayout(text: string): { path: string; reference: string | undefined } {
  const at = text.lastIndexOf('@');
  if (at >= 0 && isDigest(text.slice(at + 1))) {
    return { path: splitLayout(text.slice(0, at)).path, reference: text.slice(at + 1) };
  }
  const match = /^(.+):([A-Za-z0-9_][A-Za-z0-9_.-]*)$/s.exec(text);
  return match === null ? { path: text, reference: undefined } : { path: match[1]!, reference: match[2]! };
}
