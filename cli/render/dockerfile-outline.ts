import type { BuildTarget, DockerfileOutline, OutlineMount } from '../../src/index.js';
import { formatJson } from './json.js';
import { printableLine } from './printable.js';
import { locationOf } from './source-location.js';
import { type Column, formatTable } from './table.js';

/** What a target takes: a table for each kind of it, those with nothing left out. */
export function outlineText(outline: DockerfileOutline): string {
  const { name, description, args, secrets, ssh, caches } = outline;
  const head = [
    `TARGET:        ${printableLine(name ?? '(default)')}\n`,
    ...(description === undefined ? [] : [`DESCRIPTION:   ${printableLine(description)}\n`]),
  ].join('');
  const tables = [
    table(
      ['BUILD ARG', 'VALUE', 'DESCRIPTION'],
      args.map(arg => [arg.name, arg.value ?? '', arg.description ?? '']),
    ),
    table(['SECRET', 'REQUIRED'], secrets.map(mountRow)),
    table(['SSH', 'REQUIRED'], ssh.map(mountRow)),
    table(
      ['CACHE MOUNT'],
      caches.map(({ id }) => [id]),
    ),
  ];
  return [head, ...tables.filter(text => text !== '')].join('\n');
}

/** The same for programs, with the names that BuildKit gives to it all. */
export function outlineJson({ name, description, args, secrets, ssh, caches }: DockerfileOutline): string {
  const mount = ({ id, required, range }: OutlineMount) => ({
    name: id,
    ...(required ? { required } : {}),
    location: locationOf(range),
  });
  return formatJson({
    name,
    description,
    args: args.map(({ range, ...argument }) => ({ ...argument, location: locationOf(range) })),
    secrets: secrets.map(mount),
    ssh: ssh.map(mount),
    cache: caches.map(({ id, range }) => ({ ID: id, location: locationOf(range) })),
  });
}

export function targetsText(targets: readonly BuildTarget[]): string {
  const rows = targets.map(target => [targetName(target), base(target), target.description ?? '']);
  return formatTable([{ title: 'TARGET' }, { title: 'BASE' }, { title: 'DESCRIPTION' }], rows);
}

export function targetsJson(targets: readonly BuildTarget[]): string {
  return formatJson({
    targets: targets.map(({ default: isDefault, range, ...target }) => ({
      ...target,
      ...(isDefault ? { default: true } : {}),
      location: locationOf(range),
    })),
  });
}

function targetName({ name, default: isDefault }: BuildTarget): string {
  if (name === undefined) return isDefault ? '(default)' : '(no name)';
  return isDefault ? `${name} (default)` : name;
}

function base({ base: image, platform }: BuildTarget): string {
  return platform === undefined ? image : `${image} for ${platform}`;
}

function mountRow({ id, required }: OutlineMount): string[] {
  return [id, required ? 'true' : ''];
}

function table(titles: readonly string[], rows: ReadonlyArray<readonly string[]>): string {
  const columns: Column[] = titles.map(title => ({ title }));
  return rows.length === 0 ? '' : formatTable(columns, rows);
}
