import { resolve } from 'node:path';
import type { BaseImages, NamedContext, NamedContexts } from '../build/inputs.js';
import { copyImage } from '../content/copy.js';
import { LadingError } from '../errors/errors.js';
import { openImage } from '../image/image.js';
import { emptyRoot } from '../layer/tree-of-layers.js';
import { isDigest } from '../oci/digest.js';
import { type Platform, parsePlatform } from '../oci/platform.js';
import { joinContextName, splitContextName } from '../plan/named-context.js';
import type { Store } from '../store/store.js';
import { contextIgnore, requireDirectory } from './context-files.js';
import { fetchedContext } from './fetched-context.js';
import { type TransferOptions, withEndpoint } from './registry-access.js';
import type { Workspace } from './workspace.js';

export interface NamedContextOptions extends TransferOptions, Workspace {
  readonly store: Store;
  readonly images: BaseImages;
  /** What `local` in the platform of a context means. */
  readonly host: Platform;
  /** What relative folders start from. */
  readonly directory: string;
  /** Read manifest and config of a layout where they are, and leave nothing in the store. */
  readonly configsOnly?: boolean | undefined;
  readonly onWarning?: ((message: string) => void) | undefined;
}

/**
 * `--build-context NAME=VALUE` as contexts: `docker-image://REF`, `oci-layout://DIR[:tag][@digest]`, a Git repository, an
 * http(s) address, or a folder. Those behind addresses are fetched when they are used.
 * @throws LadingError UNSUPPORTED for other kinds, INVALID_VALUE, IO for a folder that is not there
 */
export async function namedContexts(
  values: Readonly<Record<string, string>>,
  options: NamedContextOptions,
): Promise<NamedContexts> {
  const contexts = new Map<string, NamedContext>();
  for (const [written, value] of Object.entries(values)) {
    const { name, platform } = splitContextName(written);
    const full = platform === undefined ? name : joinContextName(name, parsePlatform(platform, options.host));
    contexts.set(full, await namedContext(written, value, options));
  }
  return contexts;
}

async function namedContext(name: string, value: string, options: NamedContextOptions): Promise<NamedContext> {
  const fetched = fetchedContext(value, options);
  if (fetched !== undefined) return fetched;
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//.exec(value)?.[1];
  const rest = scheme === undefined ? value : value.slice(scheme.length + 3);
  if (scheme === 'docker-image' && rest === 'scratch')
    return { kind: 'fetched', open: async () => ({ tree: emptyRoot }) };
  if (scheme === 'docker-image') {
    return { kind: 'image', reference: rest, open: (platform, call) => options.images.open(rest, platform, call) };
  }
  if (scheme === 'oci-layout') return layoutContext(rest, options);
  const kind = scheme ?? /^(input|target):/.exec(value)?.[1];
  if (kind !== undefined && kind !== 'local') throw unsupported(name, kind);
  const path = resolve(options.directory, rest.replace(/^local:/, ''));
  await requireDirectory(
    path,
    `Unpack an archive before the build, and name the folder: --build-context ${name}=FOLDER.`,
  );
  return {
    kind: 'directory',
    path,
    ignore: await contextIgnore(path, { storeRoot: options.store.root, onWarning: options.onWarning }),
  };
}

function unsupported(name: string, kind: string): LadingError<'UNSUPPORTED'> {
  const reasons: Readonly<Record<string, string>> = {
    input: 'is what a build inside BuildKit hands to another',
    target: 'is the result of another target of a bake file',
  };
  return new LadingError('UNSUPPORTED', `build context ${name}: ${kind}: ${reasons[kind] ?? 'is not supported'}`, {
    details: { feature: `build context ${kind}:` },
    hint: 'Use a folder, docker-image://REF, oci-layout://DIR[:tag], a Git repository, or the address of an archive.',
  });
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
