import { classMatches, type NameToken, parseNamePattern } from './match.js';

/** A compiled pattern over paths (relative, separated by `/`). */
export interface PathPattern {
  /** Whether the whole path matches. */
  matches(path: string): boolean;
  /** Whether some path below the directory may match; never wrongly `false`. */
  mayMatchBelow(directory: string): boolean;
}

/**
 * A pattern of .dockerignore or `--exclude`, cleaned: what Go's `filepath.Match` takes, and `**` for any number of
 * directories.
 *
 * @throws LadingError INVALID_VALUE when the pattern is malformed
 */
export function compilePathPattern(pattern: string): PathPattern {
  // The language is defined through `filepath.Match`: what that refuses is refused, although `**` is ours.
  parseNamePattern(pattern);
  const states = toStates(pattern);
  if (states.every(state => state.kind === 'literal')) {
    const literal = states.map(state => state.character).join('');
    return {
      matches: path => path === literal,
      mayMatchBelow: directory => literal.startsWith(`${directory}/`),
    };
  }
  // Nearly every path fails one of these, which are much cheaper than following the states.
  const literals = literalRuns(states);
  const prefix = literals.at(0)!;
  const suffix = literals.at(-1)!;
  const longest = literals.reduce((a, b) => (b.length > a.length ? b : a));
  const run = stateRunner(states);
  return {
    matches: path =>
      path.startsWith(prefix) && path.endsWith(suffix) && path.includes(longest) && run(path) === 'match',
    mayMatchBelow: directory => run(`${directory}/`) !== 'dead',
  };
}

/** `*` is one state; what `**` makes is told apart by where it stands. */
type State =
  | NameToken
  /** Anything, slashes too. */
  | { readonly kind: 'rest' }
  /** Nothing, or any number of whole directories: the entry, and the state that reads them. */
  | { readonly kind: 'directories' }
  | { readonly kind: 'insideDirectories' };

function toStates(pattern: string): readonly State[] {
  const states: State[] = [];
  const pieces = splitDoubleStars(pattern);
  for (const [i, piece] of pieces.entries()) {
    if (piece !== '**') {
      states.push(...parseNamePattern(piece));
    } else if (i === pieces.length - 1) {
      states.push({ kind: 'rest' });
    } else if (i === 0 && pieces.length === 2 && !/[*?[\]\\]/.test(pieces[1]!) && !pattern.startsWith('**/')) {
      // `**name` ends in name, wherever; with any other wildcard in it, it starts a path component.
      states.push({ kind: 'rest' });
    } else {
      states.push({ kind: 'directories' }, { kind: 'insideDirectories' });
    }
  }
  return states;
}

/** Cuts out each `**`, with a slash behind it taken in; an escaped star or one in a class is left alone. */
function splitDoubleStars(pattern: string): readonly string[] {
  const pieces: string[] = [];
  let piece = '';
  for (const [part] of pattern.matchAll(/\\.?|\[\^?(?:\\.|[^\]\\])+\]|\*\*\/?|./gs)) {
    if (!part.startsWith('**')) {
      piece += part;
      continue;
    }
    if (piece !== '') pieces.push(piece);
    pieces.push('**');
    piece = '';
  }
  if (piece !== '') pieces.push(piece);
  return pieces;
}

/** The texts between the states that are wild, the ends included: any path that matches has all of them. */
function literalRuns(states: readonly State[]): readonly string[] {
  const runs = [''];
  for (const state of states) {
    if (state.kind === 'literal') runs.push(runs.pop()! + state.character);
    else runs.push('');
  }
  return runs;
}

/** Follows all states at once, so that the time is the product of both lengths whatever the pattern. */
function stateRunner(states: readonly State[]): (path: string) => 'match' | 'alive' | 'dead' {
  let active = new Uint8Array(states.length + 1);
  let following = new Uint8Array(states.length + 1);
  return path => {
    active.fill(0);
    enter(states, active, 0);
    for (const character of path) {
      following.fill(0);
      let alive = false;
      for (let i = 0; i < states.length; i++) {
        if (active[i] === 0) continue;
        const state = states[i]!;
        if (stays(state, character)) {
          enter(states, following, i);
          alive = true;
        }
        if (advances(state, character)) {
          enter(states, following, i + 1);
          alive = true;
        }
      }
      if (!alive) return 'dead';
      [active, following] = [following, active];
    }
    return active[states.length] === 1 ? 'match' : 'alive';
  };
}

/** Makes a state active, and those reached from it without reading anything. */
function enter(states: readonly State[], active: Uint8Array, index: number): void {
  for (let i = index; active[i] === 0; ) {
    active[i] = 1;
    const kind = states[i]?.kind;
    if (kind === 'star' || kind === 'rest') {
      i += 1;
    } else if (kind === 'directories') {
      active[i + 1] = 1;
      i += 2;
    } else {
      return;
    }
  }
}

function stays(state: State, character: string): boolean {
  return (state.kind === 'star' && character !== '/') || state.kind === 'rest' || state.kind === 'insideDirectories';
}

function advances(state: State, character: string): boolean {
  switch (state.kind) {
    case 'literal':
      return state.character === character;
    case 'any':
      return character !== '/';
    case 'class':
      return classMatches(state, character);
    case 'insideDirectories':
      return character === '/';
    default:
      return false;
  }
}
