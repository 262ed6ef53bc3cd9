import type { ContentSource, ContentTarget, ContextNotes, RecordStore } from '../content/content.js';
import type { WebFile } from '../content/web-file.js';
import type { IgnoreMatcher } from '../dockerfile/ignore.js';
import type { Image } from '../image/image.js';
import type { ContentStore } from '../layer/content-reader.js';
import type { LayerStore } from '../layer/layer-store.js';
import type { Platform } from '../oci/platform.js';
import type { GitReference } from '../plan/git-reference.js';
import { namedContextOf } from '../plan/named-context.js';
import type { CallOptions } from '../stream/bytes.js';
import type { DirectoryNode } from '../tree/node.js';
import type { Material } from './material.js';

/** What a build needs of the place that keeps its layers, records and images. */
export interface BuildStore extends ContentSource, ContentTarget, ContentStore, LayerStore, RecordStore {
  readonly notes: ContextNotes;
}

/** Gets images by name. What it returns is in the build's store, complete. */
export interface BaseImages {
  open(reference: string, platform: Platform, options?: CallOptions): Promise<Image>;
}

/** What a build may know and must not keep: no layer, record, event or message holds a part of it. */
export interface Secrets {
  /** `undefined` for one that the build was not given. */
  read(id: string, options?: CallOptions): Promise<Buffer | undefined>;
}

/** The agents that a build may ask to sign for it. */
export interface Agents {
  /** Path of the socket of an agent on this machine; `undefined` for one that the build was not given. */
  socket(id: string, options?: CallOptions): Promise<string | undefined>;
}

export interface CacheFolderOptions extends CallOptions {
  /**
   * Who else may have the folder meanwhile, in whatever process: everybody who shares it, or nobody, for whom `private` does
   * not wait, but gets another one.
   */
  readonly sharing: 'shared' | 'private' | 'locked';
  /** Take what is there away first, unless this build has done so before. */
  readonly fresh: boolean;
  /** Puts into a folder that has just been made what it begins with. */
  readonly fill: (path: string) => Promise<void>;
}

/** A folder that outlives the build. */
export interface CacheFolder {
  readonly path: string;
  release(): Promise<void>;
}

/** Folders for cache mounts. */
export interface CacheFolders {
  open(key: string, options: CacheFolderOptions): Promise<CacheFolder>;
}

export interface FetchOptions extends CallOptions {
  /** The SHA-256 that the content is to have: a file that is kept with it is taken without asking anybody. */
  readonly digest?: string | undefined;
  /** Get it again, whatever is kept. */
  readonly fresh?: boolean | undefined;
  /** Bytes so far, and how many there will be where the server says so. */
  readonly onProgress?: ((bytes: number, total: number | undefined) => void) | undefined;
}

/** Gets files of the web. The blob of what it returns is in the build's store. */
export interface RemoteFiles {
  fetch(address: string, options?: FetchOptions): Promise<WebFile>;
}

/** A commit of a Git repository, checked out where it stays for as long as the build. */
export interface GitCheckout {
  /** Folder with the files that were asked for. */
  readonly path: string;
  /** Full id. */
  readonly commit: string;
  /** When it was committed, in seconds since 1970. */
  readonly time: number;
}

/** Gets files from Git repositories. */
export interface GitRepositories {
  checkout(
    reference: GitReference,
    options?: CallOptions & { onProgress?: ((bytes: number) => void) | undefined },
  ): Promise<GitCheckout>;
}

/** Files from elsewhere. */
export interface FetchedFiles {
  readonly tree: DirectoryNode;
  /** When they were made, in seconds since 1970, as far as that is known: SOURCE_DATE_EPOCH can be taken from it. */
  readonly time?: number | undefined;
  /** Where they come from, when that is a server. */
  readonly origin?: Material | undefined;
}

/** A `--build-context`: a folder of this machine, files that are fetched when they are needed, or an image. */
export type NamedContext =
  | { readonly kind: 'directory'; readonly path: string; readonly ignore?: IgnoreMatcher | undefined }
  | { readonly kind: 'fetched'; open(options?: CallOptions): Promise<FetchedFiles> }
  | {
      readonly kind: 'image';
      /** Its name in a registry; absent for one that lies in a layout. */
      readonly reference?: string | undefined;
      open(platform: Platform, options?: CallOptions): Promise<Image>;
    };

export type NamedContexts = ReadonlyMap<string, NamedContext>;

/** A named context that is no image, under its own name. */
export interface FilesContext {
  readonly name: string;
  readonly context: Exclude<NamedContext, { readonly kind: 'image' }>;
}

/** The named context that a name in FROM or `--from` means for a platform, with the name it was given. */
export function findNamedContext(
  contexts: NamedContexts,
  name: string,
  platform: Platform,
): { readonly name: string; readonly context: NamedContext } | undefined {
  const known = namedContextOf(name, platform, contexts.keys());
  return known === undefined ? undefined : { name: known, context: contexts.get(known)! };
}
