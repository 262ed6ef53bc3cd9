import { readdirSync, readFileSync } from 'node:fs';

const closeOnExec = 0o2000000;
/** Beyond it are none but of programs that open files by the thousand, and these do not leave them open. */
const highest = 65_536;

/**
 * Descriptors that whoever started the builder has left open for all programs that it starts: of a folder it would be a
 * way for a process of an image to this machine's files. Node cannot close them for others, only put something in their
 * place.
 */
export function inheritedDescriptors(): readonly number[] {
  return readdirSync('/proc/self/fdinfo')
    .map(Number)
    .filter(fd => fd > 2 && fd < highest && isInherited(fd));
}

function isInherited(fd: number): boolean {
  try {
    const flags = /^flags:\s*([0-7]+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))?.[1] ?? '0';
    return (Number.parseInt(flags, 8) & closeOnExec) === 0;
  } catch {
    // It was the one of the listing.
    return false;
  }
}

/**
 * Streams for `spawn`, with `empty`, a descriptor of `/dev/null`, in the place of all that would be inherited.
 * @param streams those that the program is to have
 */
export function onlyThese<T>(streams: readonly T[], empty: number): Array<T | number | 'ignore'> {
  const all: Array<T | number | 'ignore'> = [...streams];
  for (const fd of inheritedDescriptors()) {
    if (fd < streams.length) continue;
    while (all.length < fd) all.push('ignore');
    all[fd] = empty;
  }
  return all;
}
