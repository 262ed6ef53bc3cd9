import type { FileOwner } from '../sandbox.js';

/** What is known of a file: all its names share one. An id that is absent was not given to it by anybody. */
export interface LedgerFile {
  /** The path that it had before the run; absent for what was made in the run. */
  readonly origin?: string | undefined;
  /** Who made it, in the run. */
  readonly maker?: FileOwner | undefined;
  uid?: number | undefined;
  gid?: number | undefined;
  /** It was given to whom all files are shown to belong. */
  asShown?: boolean | undefined;
}

/** A name of which something is known. */
export interface LedgerName {
  /** Nothing has this name any more. */
  file: LedgerFile | undefined;
  readonly children: Map<string, LedgerName>;
}

/** An id that a call leaves as it is. */
export const unchangedId = 0xffffffff;

/**
 * Follows to whom files belong, through names that come and go: fed with what has happened, in its order. Paths are inside
 * the root, without a leading `/`.
 */
export class OwnerLedger {
  readonly root: LedgerName = { file: { origin: '' }, children: new Map() };

  /** An id of `unchangedId` stays as it is. */
  give(path: string, uid: number, gid: number): LedgerFile | undefined {
    const file = this.fileAt(path);
    if (file === undefined) return undefined;
    if (uid !== unchangedId) file.uid = uid;
    if (gid !== unchangedId) file.gid = gid;
    return file;
  }

  /** Something was made that was not there. */
  make(path: string, maker: FileOwner): void {
    this.#name(path, { maker });
  }

  remove(path: string): void {
    this.#name(path, undefined);
  }

  /** Another name for a file. */
  link(from: string, to: string, maker: FileOwner): void {
    const place = this.#place(from);
    // A file that was never named, or came out of another tree.
    this.#name(to, place?.file ?? { maker });
  }

  /** A name, and all below it. @returns what had the new name before */
  move(from: string, to: string): LedgerFile | undefined {
    const place = this.#place(from);
    const replaced = this.fileAt(to);
    // Two names of one file stay what they are.
    if (place?.file !== undefined && place.file === replaced) return undefined;
    const { file = {}, children } = place ?? {};
    this.#name(from, undefined);
    this.#name(to, file, children);
    return replaced;
  }

  exchange(one: string, other: string): void {
    const places = [this.#place(one), this.#place(other)];
    const [first, second] = places.map(place => place && { file: place.file, children: new Map(place.children) });
    this.#name(one, second?.file, second?.children);
    this.#name(other, first?.file, first?.children);
  }

  /** What is known of the file at a path; nothing when it is gone. */
  fileAt(path: string): LedgerFile | undefined {
    return this.#place(path)?.file;
  }

  /** The name, made for it where nothing was said of it so far: it is then what it was before the run. */
  #place(path: string): LedgerName | undefined {
    let place = this.root;
    if (path === '') return place;
    for (const name of path.split('/')) {
      let next = place.children.get(name);
      if (next === undefined) {
        const above = place.file?.origin;
        if (above === undefined) return undefined;
        next = { file: { origin: above === '' ? name : `${above}/${name}` }, children: new Map() };
        place.children.set(name, next);
      }
      place = next;
    }
    return place;
  }

  #name(path: string, file: LedgerFile | undefined, children: Map<string, LedgerName> = new Map()): void {
    const cut = path.lastIndexOf('/');
    let parent = cut === -1 ? this.root : this.#place(path.slice(0, cut));
    if (parent === undefined) {
      // In a folder that nobody was seen making.
      this.#name(path.slice(0, cut), {});
      parent = this.#place(path.slice(0, cut))!;
    }
    parent.children.set(path.slice(cut + 1), { file, children });
  }
}
