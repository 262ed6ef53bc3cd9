import type { FileOwner } from '../sandbox.js';

/** What is known of a thread. */
export interface Tracee {
  /** Ids that new files get; also those that files of the builder's user are shown to belong to. */
  uid: number;
  gid: number;
  /** The name of what it runs. */
  program: string;
  /** Paths on this machine. Shared between threads. */
  readonly descriptors: Map<number, string>;
  /** Files that it has emptied and writes to. */
  readonly rewritten: Set<string>;
  /** Of programs that copy owners: what they have looked at last, and what that was when they made a file. */
  looked: string | undefined;
  readonly sources: Map<string, string>;
}

interface Birth {
  readonly parent: Tracee;
  readonly flags: number;
  readonly by: number;
  child?: number | undefined;
}

/** `CLONE_FILES` and `CLONE_THREAD`. */
const sharedFiles = 0x400 | 0x10000;

/** The processes of a run, by the numbers that their threads have at the moment. */
export class Tracees {
  readonly #user: FileOwner;
  readonly #all = new Map<number, Tracee>();
  /** Who has asked for a process that has not been seen yet, and with what. */
  readonly #births: Birth[] = [];

  constructor(user: FileOwner) {
    this.#user = user;
  }

  of(pid: number): Tracee {
    const known = this.#all.get(pid);
    if (known !== undefined) return known;
    const birth = this.#birthOf(pid);
    const { uid, gid, program, descriptors } = birth?.parent ?? { ...this.#user, program: '', descriptors: new Map() };
    const shared = ((birth?.flags ?? 0) & sharedFiles) !== 0;
    const tracee: Tracee = {
      ...{ uid, gid, program, looked: undefined },
      descriptors: shared ? descriptors : new Map(descriptors),
      rewritten: new Set(),
      sources: new Map(),
    };
    this.#all.set(pid, tracee);
    return tracee;
  }

  /** A process is about to be made: it may be seen before the call is over. */
  born(by: number, flags: number): void {
    this.#births.push({ parent: this.of(by), flags, by });
  }

  /** How that has ended. @param child absent when there is none, or when its number is not known. */
  bore(by: number, { failed, child }: { readonly failed: boolean; readonly child?: number | undefined }): void {
    const birth = this.#births.findLast(each => each.by === by && each.child === undefined);
    if (birth === undefined) return;
    birth.child = child;
    if (failed || (child !== undefined && this.#all.has(child))) this.#births.splice(this.#births.indexOf(birth), 1);
  }

  /** Its number may be another's from now on. */
  ended(pid: number): void {
    this.#all.delete(pid);
  }

  /** The one that has had its number, or else the first of which it is not known. */
  #birthOf(pid: number): Birth | undefined {
    const births = this.#births;
    const named = births.findIndex(({ child }) => child === pid);
    const place = named === -1 ? births.findIndex(({ child }) => child === undefined) : named;
    return place === -1 ? undefined : births.splice(place, 1)[0];
  }
}
