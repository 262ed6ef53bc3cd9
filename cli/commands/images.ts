import { matchesWildcard, type Store } from '../../src/index.js';
import { defineCommand } from '../command.js';
import type { CliContext } from '../context.js';
import { formatAge } from '../render/age.js';
import { formatJson } from '../render/json.js';
import { shownName } from '../render/shown-name.js';
import { formatSize } from '../render/size.js';
import { formatTable } from '../render/table.js';
import { jsonOption, templateOption } from '../shared-options.js';
import { withStore } from '../store-session.js';

export const command = defineCommand({
  positionals: {
    name: { type: 'string', array: true, describe: 'Only these: a repository, a whole name, or with * for any text' },
  },
  options: {
    quiet: { alias: 'q', type: 'boolean', describe: 'Digests only' },
    'no-trunc': { type: 'boolean', describe: 'Digests in full' },
    ...jsonOption,
  },
  unsupported: {
    ...templateOption,
    all: { value: false, reason: 'every image is listed', instead: 'Leave it out.' },
    filter: { value: true, reason: 'images are chosen by name', instead: 'Give names, with * for any text.' },
    digests: { value: false, reason: 'what identifies an image here is its digest', instead: 'Use --no-trunc.' },
  },
  examples: [
    { line: 'lading images', does: 'All of them' },
    { line: "lading images 'ghcr.io/me/team/*'", does: 'Those of a team' },
  ],
  async run(args, context) {
    const listed = await withStore(args, context, store => list(store, context));
    const images = listed.filter(({ name }) => matches(name, args.name ?? []));
    const { stdout } = context;
    if (args.quiet) {
      const digests = new Set(images.map(({ digest }) => (args.noTrunc ? digest : shortened(digest))));
      for (const digest of digests) stdout.write(`${digest}\n`);
    } else if (args.json) {
      stdout.write(
        formatJson(images.map(({ storedAt, ...image }) => ({ ...image, storedAt: storedAt.toISOString() }))),
      );
    } else {
      const rows = images.map(({ name, digest, storedAt, sizeBytes }) => [
        ...nameCells(name),
        args.noTrunc ? digest : shortened(digest),
        formatAge(storedAt.getTime(), context.now()),
        sizeBytes === undefined ? 'incomplete' : formatSize(sizeBytes),
      ]);
      stdout.write(formatTable(columns, rows));
    }
  },
});

const columns = [
  { title: 'REPOSITORY' },
  { title: 'TAG' },
  { title: 'IMAGE ID' },
  { title: 'CREATED' },
  { title: 'SIZE', align: 'right' },
] as const;

interface ListedImage {
  readonly name?: string | undefined;
  readonly digest: string;
  readonly mediaType: string;
  readonly storedAt: Date;
  /** Of all that the image needs, shared or not; absent when something of it is missing, and `fsck` says what. */
  readonly sizeBytes?: number | undefined;
}

/** Newest first, as people look for what they have just made; then by name. */
async function list(store: Store, { signal }: CliContext): Promise<ListedImage[]> {
  const usage = await store.imageUsage({ signal });
  const whole = usage.filter(({ complete }) => complete);
  const sizes = new Map(whole.map(({ descriptor, sizeBytes }) => [descriptor.digest, sizeBytes]));
  const images = (await store.images()).map(({ name, descriptor, storedAt }) => ({
    name,
    digest: descriptor.digest,
    mediaType: descriptor.mediaType,
    storedAt,
    sizeBytes: sizes.get(descriptor.digest),
  }));
  return images.sort((a, b) => b.storedAt.getTime() - a.storedAt.getTime() || order(a.name ?? '', b.name ?? ''));
}

function matches(name: string | undefined, patterns: readonly string[]): boolean {
  if (patterns.length === 0) return true;
  if (name === undefined) return false;
  const familiar = shownName(name);
  const repository = familiar.replace(/[:@][^/]*$/, '');
  const spellings = [name, familiar, repository, name.replace(/[:@][^/]*$/, '')];
  return patterns.some(pattern => spellings.some(spelling => matchesWildcard(pattern, spelling)));
}

function nameCells(name: string | undefined): [repository: string, tag: string] {
  if (name === undefined) return ['<none>', '<none>'];
  const familiar = shownName(name);
  const tag = /:([^:/]*)$/.exec(familiar)?.[1];
  return tag === undefined || familiar.includes('@') ? [familiar, '<none>'] : [familiar.slice(0, -tag.length - 1), tag];
}

function shortened(digest: string): string {
  return digest.slice(digest.indexOf(':') + 1).slice(0, 12);
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
