import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** Commands that run a process, whatever else they are told. */
const running: ReadonlySet<string | undefined> = new Set(['run', 'start']);
/** Ways of running it that take a user namespace where the user has ranges of ids. */
const entering: ReadonlySet<string | undefined> = new Set(['auto', 'namespaces', 'oci']);
/** They build nothing. */
const asking = /^--(?:help|check|call)(?:=|$)/;
/** Of a Dockerfile; what lies behind is not looked at. */
const most = 1024 * 1024;

/**
 * Whether a command line looks as if it needed the user namespace: a guess by its words, made before anything of lading is
 * loaded. It may be wrong either way. Where it does not see the need, the command does, and starts again; where it sees one
 * that is not there, the command runs in a namespace that it makes no use of.
 */
export function namespaceLikely(argv: readonly string[], cwd: string): boolean {
  const [command, ...rest] = argv;
  if (rest.some(word => asking.test(word)) || !entering.has(optionIn(rest, '--sandbox') ?? 'auto')) return false;
  if (command !== 'build') return running.has(command);
  // Whatever could be the context or the Dockerfile.
  const places = rest.map(word => (word.startsWith('-') ? /^(?:--file=|-f)(.+)/.exec(word)?.[1] : word));
  return places.some(place => place !== undefined && hasCommands(resolve(cwd, place)));
}

function optionIn(words: readonly string[], name: string): string | undefined {
  const at = words.findIndex(word => word === name || word.startsWith(`${name}=`));
  return at < 0 ? undefined : words[at] === name ? words[at + 1] : words[at]!.slice(name.length + 1);
}

/** Whether a Dockerfile, or that of a folder, has a line that looks like RUN. */
function hasCommands(place: string): boolean {
  try {
    const isFolder = statSync(place).isDirectory();
    const path = isFolder ? join(place, 'Dockerfile') : place;
    // From anything but a file, what is read here would be missing later.
    const found = statSync(path);
    if (!found.isFile()) return false;
    const file = openSync(path, 'r');
    try {
      const text = Buffer.alloc(Math.min(found.size, most));
      return /^[ \t]*RUN[ \t\\]/im.test(text.toString('latin1', 0, readSync(file, text)));
    } finally {
      closeSync(file);
    }
  } catch {
    return false;
  }
}
