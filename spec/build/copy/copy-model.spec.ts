import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { Copier } from '../../../src/build/copy/copier.js';
import { isLadingError } from '../../../src/errors/errors.js';
import { emptyDirectory, TreeEditor } from '../../../src/tree/editor.js';
import { lookup } from '../../../src/tree/lookup.js';
import type { DirectoryNode, TreeNode } from '../../../src/tree/node.js';
import { joinPath, parentOf } from '../../../src/tree/path.js';
import { type ModelEntry, type ModelTree, modelCopy } from './copy-model.js';

const names = fc.constantFrom('a', 'b', 'c');
const paths = fc.array(names, { minLength: 1, maxLength: 4 }).map(parts => parts.join('/'));
const mtime = fc.integer({ min: 0, max: 9 });
const entry: fc.Arbitrary<ModelEntry> = fc.oneof(
  fc.record({ type: fc.constant('directory' as const), mode: fc.constantFrom(0o755, 0o700), mtime }),
  fc.record({ type: fc.constant('file' as const), mode: fc.constantFrom(0o644, 0o600), mtime, text: names }),
  fc.record({
    type: fc.constant('symlink' as const),
    target: fc.tuple(fc.constantFrom('', '/', '../', '../../', './'), paths).map(([start, path]) => start + path),
  }),
);

/** Entries whose parents are folders; the first at a path stays. */
const trees: fc.Arbitrary<ModelTree> = fc.array(fc.tuple(paths, entry), { maxLength: 12 }).map(entries => {
  const tree = new Map<string, ModelEntry>();
  for (const [path, node] of entries) {
    const parents = path.split('/').map((_, i, parts) => parts.slice(0, i).join('/'));
    if (
      tree.has(path) ||
      parents.some(folder => folder !== '' && (tree.get(folder)?.type ?? 'directory') !== 'directory')
    ) {
      continue;
    }
    for (const folder of parents) {
      if (folder !== '' && !tree.has(folder)) tree.set(folder, { type: 'directory', mode: 0o755, mtime: 0 });
    }
    tree.set(path, node);
  }
  return tree;
});

const destinations = fc
  .tuple(paths, fc.constantFrom('', '/', '/.', '/..', '/../a'))
  .map(([path, end]) => `/${path}${end}`);

/** A tree and something in it, or the whole of it. */
const sources = trees.chain(tree => fc.tuple(fc.constant(tree), fc.constantFrom('', ...tree.keys())));

it('copies as a slow model of the rules does', () => {
  fc.assert(
    fc.property(sources, trees, fc.oneof(destinations, fc.constant('/')), ([from, path], target, destination) => {
      expect(copied(from, path, target, destination)).toEqual(sorted(modelCopy(from, path, target, destination)));
    }),
    { numRuns: 1500 },
  );
}, 30_000);

function copied(source: ModelTree, path: string, target: ModelTree, destination: string): unknown {
  const editor = new TreeEditor(treeOfModel(target));
  try {
    const found = lookup(treeOfModel(source), path);
    if (found === undefined) return undefined;
    new Copier(editor, { epoch: 1000, clamp: time => time }).copy(found.node, path, destination);
    return sorted(modelOfTree(editor.root));
  } catch (error) {
    if (isLadingError(error, 'PATH_INVALID')) return undefined;
    throw error;
  }
}

function sorted(tree: ModelTree | undefined): unknown {
  return tree && [...tree].sort(([a], [b]) => (a < b ? -1 : 1));
}

function treeOfModel(tree: ModelTree): DirectoryNode {
  const editor = new TreeEditor(emptyDirectory());
  for (const [path, node] of [...tree].sort(([a], [b]) => a.split('/').length - b.split('/').length)) {
    expect(path === '' || parentOf(path) === '' || tree.has(parentOf(path))).toBe(true);
    editor.set(path, nodeOf(node));
  }
  return editor.root;
}

function nodeOf(entry: ModelEntry): TreeNode {
  const owner = { uid: 0, gid: 0 };
  switch (entry.type) {
    case 'directory':
      return emptyDirectory(entry);
    case 'symlink':
      return { type: 'symlink', mode: 0o777, mtime: 0, ...owner, target: entry.target };
    case 'file': {
      const bytes = Buffer.from(entry.text);
      return {
        type: 'file',
        mode: entry.mode,
        mtime: entry.mtime,
        ...owner,
        size: 1,
        content: { kind: 'bytes', bytes },
      };
    }
  }
}

function modelOfTree(root: DirectoryNode, path = '', found = new Map<string, ModelEntry>()): ModelTree {
  for (const [name, node] of root.children) {
    const place = joinPath(path, name);
    const { mode, mtime } = node;
    if (node.type === 'symlink') found.set(place, { type: 'symlink', target: node.target });
    else if (node.type === 'directory') modelOfTree(node, place, found.set(place, { type: 'directory', mode, mtime }));
    else if (node.type === 'file' && node.content.kind === 'bytes')
      found.set(place, { type: 'file', mode, mtime, text: Buffer.from(node.content.bytes).toString() });
  }
  return found;
}
