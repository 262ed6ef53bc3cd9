import type { FileOwner, RunRequest } from '../sandbox.js';
import { copiers, plainNames } from './owner-calls.js';
import { type LedgerFile, OwnerLedger, unchangedId } from './owner-ledger.js';
import { type Tracee, Tracees } from './tracees.js';

/** A system call that has succeeded, as a tracer tells it. */
export interface TracedCall {
  /** Of the thread. */
  readonly pid: number;
  readonly name: string;
  /** As unsigned numbers. Those that are pointers mean nothing. */
  readonly args: readonly number[];
  /** Of the paths of the call, in their order, where they lead to on this machine. */
  readonly paths: readonly string[];
  readonly result: number;
}

export interface OwnerTraceOptions {
  /** Without links, on this machine. Other trees have owners of their own. */
  readonly root: string;
  readonly user: FileOwner;
  /** Of what was at a path before the run; absent when that is not known. */
  readonly ownerBefore?: RunRequest['ownerBefore'];
}

const id = (value: number | undefined): number => (value ?? 0) >>> 0;
const atEmptyPath = 0x1000;
const openCreate = 0o100;
const openExclusive = 0o200;
const openTruncate = 0o1000;
const openUnnamed = 0o20000000;
const renameExchange = 2;
/** `F_DUPFD` and `F_DUPFD_CLOEXEC`. */
const duplicating = new Set([0, 1030]);
/** `S_IFCHR` and `S_IFBLK`. */
const devices = new Set([0o020000, 0o060000]);

/** A call with its paths as they are inside the root; absent for those that are in other trees. */
interface Effect {
  readonly tracee: Tracee;
  readonly args: readonly number[];
  readonly path: string | undefined;
  readonly other: string | undefined;
  /** The first path on this machine. */
  readonly named: string | undefined;
  readonly result: number;
}

/** Understands what calls do to the owners of files. */
export class OwnerTrace {
  readonly ledger: OwnerLedger;
  /** Paths, inside the root, of which it could not be told to whom they belong. */
  readonly uncertain = new Set<string>();
  readonly #options: OwnerTraceOptions;
  readonly tracees: Tracees;

  constructor(options: OwnerTraceOptions) {
    this.#options = options;
    this.ledger = new OwnerLedger();
    this.tracees = new Tracees(options.user);
  }

  readonly #effects: Readonly<Record<string, (call: Effect) => void>> = {
    chown: ({ tracee, path, args }) => this.#give(path, tracee, args[1], args[2]),
    lchown: ({ tracee, path, args }) => this.#give(path, tracee, args[1], args[2]),
    fchown: ({ tracee, args }) => this.#give(this.#opened(tracee, args[0]), tracee, args[1], args[2]),
    fchownat: ({ tracee, path, args, named }) => {
      const itself = named === undefined && (id(args[4]) & atEmptyPath) !== 0;
      this.#give(itself ? this.#opened(tracee, args[0]) : path, tracee, args[2], args[3]);
    },
    open: call => this.#open(call, id(call.args[1])),
    openat: call => this.#open(call, id(call.args[2])),
    creat: call => this.#open(call, openCreate),
    mkdir: ({ path, tracee }) => this.#make(path, tracee),
    mkdirat: ({ path, tracee }) => this.#make(path, tracee),
    symlink: ({ path, tracee }) => this.#make(path, tracee),
    symlinkat: ({ path, tracee }) => this.#make(path, tracee),
    mknod: ({ path, tracee, args }) => this.#makeNode(path, tracee, id(args[1])),
    mknodat: ({ path, tracee, args }) => this.#makeNode(path, tracee, id(args[2])),
    link: call => this.#link(call),
    linkat: call => this.#link(call),
    unlink: ({ path }) => this.#remove(path),
    unlinkat: ({ path }) => this.#remove(path),
    rmdir: ({ path }) => this.#remove(path),
    rename: call => this.#move(call, 0),
    renameat: call => this.#move(call, 0),
    renameat2: call => this.#move(call, id(call.args[4])),
    dup: call => this.#duplicate(call),
    dup2: call => this.#duplicate(call),
    dup3: call => this.#duplicate(call),
    fcntl: call => {
      if (duplicating.has(id(call.args[1]))) this.#duplicate(call);
    },
    execve: ({ tracee, named = '' }) => {
      tracee.program = named.slice(named.lastIndexOf('/') + 1);
      tracee.sources.clear();
    },
    utimensat: call => this.#keepTimes(call),
    stat: ({ tracee, path }) => this.#look(tracee, path),
    lstat: ({ tracee, path }) => this.#look(tracee, path),
    fstat: ({ tracee, args }) => this.#look(tracee, this.#opened(tracee, args[0])),
    newfstatat: ({ tracee, path, args, named }) =>
      this.#look(tracee, named === undefined ? this.#opened(tracee, args[0]) : path),
    fstatat: ({ tracee, path }) => this.#look(tracee, path),
    setuid: ({ tracee, args }) => become(tracee, 'uid', args[0]),
    setgid: ({ tracee, args }) => become(tracee, 'gid', args[0]),
    setfsuid: ({ tracee, args }) => become(tracee, 'uid', args[0]),
    setfsgid: ({ tracee, args }) => become(tracee, 'gid', args[0]),
    setreuid: ({ tracee, args }) => become(tracee, 'uid', args[1]),
    setregid: ({ tracee, args }) => become(tracee, 'gid', args[1]),
    setresuid: ({ tracee, args }) => become(tracee, 'uid', args[1]),
    setresgid: ({ tracee, args }) => become(tracee, 'gid', args[1]),
  };

  /** Whether the calls matter that only look at files. */
  copies(pid: number): boolean {
    return copiers.has(this.tracees.of(pid).program);
  }

  call({ pid, name, args, paths, result }: TracedCall): void {
    const tracee = this.tracees.of(pid);
    const [path, other] = paths.map(each => this.#inside(each));
    this.#effects[plainNames.get(name) ?? '']?.({ tracee, args, path, other, named: paths[0], result });
  }

  #inside(path: string): string | undefined {
    const { root } = this.#options;
    if (path === root) return '';
    return path.startsWith(`${root}/`) ? path.slice(root.length + 1) : undefined;
  }

  #give(path: string | undefined, tracee: Tracee, uid: number | undefined, gid: number | undefined): void {
    if (path === undefined) return;
    this.uncertain.delete(path);
    const shown = id(uid) === tracee.uid && (id(gid) === tracee.gid || id(gid) === unchangedId);
    const source = shown ? tracee.sources.get(path) : undefined;
    if (source !== undefined && this.#copyOwner(source, path, tracee)) return;
    // A file that was written over gets the owner that it was shown to have: it is to stay what it is.
    if (shown && tracee.rewritten.has(path)) return;
    const before = this.#owner(this.ledger.fileAt(path));
    const file = this.ledger.give(path, id(uid), id(gid));
    if (file === undefined) return;
    file.asShown = shown;
    // Programs that change one id may give the other that they are shown, instead of none.
    const repeated = [
      id(uid) === tracee.uid && before.uid !== tracee.uid,
      id(gid) === tracee.gid && before.gid !== tracee.gid,
    ];
    if (!shown && repeated.includes(true)) this.uncertain.add(path);
  }

  /** A process looks at a file; what it has made itself is not what it copies. */
  #look(tracee: Tracee, path: string | undefined): void {
    if (path !== undefined && !tracee.sources.has(path)) tracee.looked = path;
  }

  /** `cp -a` leaves giving a file away out where it seems to have the right owner already; its time tells that it would. */
  #keepTimes({ tracee, path, named, args }: Effect): void {
    if (tracee.program !== 'cp' && tracee.program !== 'mv') return;
    const target = named === undefined ? this.#opened(tracee, args[0]) : path;
    const source = target === undefined ? undefined : tracee.sources.get(target);
    if (source !== undefined) this.#copyOwner(source, target!, tracee);
  }

  /** @returns whether it is known whom the source belongs to */
  #copyOwner(source: string, path: string, { program, uid, gid }: Tracee): boolean {
    const owner = this.#owner(this.ledger.fileAt(source));
    if (owner.uid === undefined || owner.gid === undefined) return false;
    const file = this.ledger.give(path, owner.uid, owner.gid);
    if (file !== undefined) file.asShown = true;
    // Which of its many programs it is does not show, and not all of them copy.
    if (program === 'busybox' && (owner.uid !== uid || owner.gid !== gid)) this.uncertain.add(path);
    return true;
  }

  /** As far as it is known. */
  #owner(file: LedgerFile | undefined): Partial<FileOwner> {
    const first = file?.origin === undefined ? file?.maker : this.#options.ownerBefore?.(file.origin);
    return { uid: file?.uid ?? first?.uid, gid: file?.gid ?? first?.gid };
  }

  #opened(tracee: Tracee, descriptor: number | undefined): string | undefined {
    const path = tracee.descriptors.get(id(descriptor));
    return path === undefined ? undefined : this.#inside(path);
  }

  #open({ tracee, path, named, result }: Effect, flags: number): void {
    // A file without a name is opened by that of a folder.
    if (named !== undefined && (flags & openUnnamed) === 0) tracee.descriptors.set(result, named);
    else tracee.descriptors.delete(result);
    if ((flags & openCreate) === 0 || path === undefined) return;
    if ((flags & openExclusive) !== 0 || this.#isNew(path, tracee)) this.#make(path, tracee);
    else if ((flags & openTruncate) !== 0) {
      tracee.rewritten.add(path);
      this.#pair(path, tracee);
    }
  }

  #duplicate({ tracee, args, result }: Effect): void {
    const open = tracee.descriptors.get(id(args[0]));
    if (open === undefined) tracee.descriptors.delete(result);
    else tracee.descriptors.set(result, open);
  }

  #make(path: string | undefined, tracee: Tracee): void {
    if (path === undefined) return;
    this.ledger.make(path, ownerOf(tracee));
    this.#pair(path, tracee);
  }

  /** What is written now is a copy of what was looked at last, if it is one. */
  #pair(path: string, tracee: Tracee): void {
    if (tracee.looked !== undefined && copiers.has(tracee.program)) tracee.sources.set(path, tracee.looked);
  }

  #makeNode(path: string | undefined, tracee: Tracee, mode: number): void {
    this.#make(path, tracee);
    // Of devices a process is told that they were made, and they were not.
    if (path !== undefined && devices.has(mode & 0o170000)) this.uncertain.add(path);
  }

  #link({ path, other, tracee }: Effect): void {
    if (other === undefined) return;
    if (path === undefined) this.#make(other, tracee);
    else this.ledger.link(path, other, ownerOf(tracee));
  }

  #remove(path: string | undefined): void {
    if (path !== undefined) this.ledger.remove(path);
  }

  /** Opening does not say whether the file was there. */
  #isNew(path: string, tracee: Tracee): boolean {
    const file = this.ledger.fileAt(path);
    if (file?.origin === undefined) return file === undefined;
    const { user, ownerBefore } = this.#options;
    if (ownerBefore !== undefined) return ownerBefore(file.origin) === undefined;
    if (tracee.uid !== user.uid || tracee.gid !== user.gid) this.uncertain.add(path);
    return false;
  }

  #move({ path: from, other: to, tracee }: Effect, flags: number): void {
    if (from === undefined) this.#make(to, tracee);
    else if (to === undefined) this.ledger.remove(from);
    else if ((flags & renameExchange) !== 0) this.ledger.exchange(from, to);
    else this.#replaced(to, this.ledger.move(from, to));
  }

  /**
   * Whoever writes a file anew, beside the old one, gives it the owner that the old one is shown to have. That is whom the
   * process plays, and not the true one, which is what is meant.
   */
  #replaced(path: string, old: LedgerFile | undefined): void {
    const file = this.ledger.fileAt(path);
    const [now, was] = [this.#owner(file), this.#owner(old)];
    if (file?.maker === undefined || was.uid === undefined || was.gid === undefined) return;
    if (now.uid === was.uid && now.gid === was.gid) return;
    if (file.asShown) this.ledger.give(path, was.uid, was.gid);
    // Some leave giving it out where it seems to be the same anyway.
    else if (file.uid === undefined && file.gid === undefined) this.uncertain.add(path);
  }
}

function ownerOf({ uid, gid }: Tracee): FileOwner {
  return { uid, gid };
}

/** New files belong to the ids of a process for files, which follow the effective ones. */
function become(tracee: Tracee, which: 'uid' | 'gid', value: number | undefined): void {
  if (id(value) !== unchangedId) tracee[which] = id(value);
}
