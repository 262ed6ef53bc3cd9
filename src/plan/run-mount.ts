import { cleanPathText } from '../dockerfile/go-text.js';
import { type CacheSharing, invalidMount, type MountFields, mountFields } from './mount-fields.js';
import type { FileOrigin } from './step.js';

interface MountBase<T extends string> {
  readonly type: T;
  /** Absolute and cleaned, never `/`. */
  readonly target: string;
}

/** Owner and mode of a file or folder that a mount makes. */
export interface MountPermissions {
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** Files of the context, a stage or an image. What is written to it is thrown away after the RUN. */
export interface BindMount extends MountBase<'bind'> {
  readonly from: FileOrigin;
  /** Absolute inside `from`; a file or a folder. */
  readonly source: string;
  readonly readOnly: boolean;
}

/** A folder that outlives the build. What it holds is no part of a step's identity. */
export interface CacheMount extends MountBase<'cache'> {
  readonly id: string;
  /** What it holds when it is made: the folder `source` of `from`. */
  readonly from: FileOrigin;
  readonly source: string;
  readonly sharing: CacheSharing;
  readonly readOnly: boolean;
  /** Of the folder when it is made; absent when nothing was said, or `source` is a folder that comes with its own. */
  readonly permissions?: MountPermissions | undefined;
}

export interface TmpfsMount extends MountBase<'tmpfs'> {
  /** Absent is unlimited. */
  readonly sizeBytes?: number | undefined;
  readonly readOnly: boolean;
}

/** A secret of the build's caller, as a file, as a variable, or both. Its content is no part of a step's identity. */
export interface SecretMount {
  readonly type: 'secret';
  readonly id: string;
  /** The file; absent when it is only a variable. */
  readonly target?: string | undefined;
  readonly env?: string | undefined;
  readonly required: boolean;
  readonly permissions: MountPermissions;
}

/** The socket of an agent of the build's caller. */
export interface SshMount extends MountBase<'ssh'> {
  readonly id: string;
  readonly required: boolean;
  readonly permissions: MountPermissions;
}

/** A `--mount` of RUN, checked and with its defaults. */
export type RunMount = BindMount | CacheMount | TmpfsMount | SecretMount | SshMount;

export interface MountContext {
  /** Expands variables; applied to every value. */
  readonly expand: (word: string) => string;
  /** Where relative targets start; absolute. */
  readonly cwd: string;
  /** Finds what `from=` names; called with '' when there is none. */
  readonly origin: (from: string, target: string) => FileOrigin;
}

/**
 * Parses the value of a `--mount`. `sshIndex` numbers the sockets without a target.
 * @throws LadingError INVALID_VALUE, BAD_SUBSTITUTION
 */
export function parseRunMount(text: string, context: MountContext, sshIndex: number): RunMount {
  const fields = mountFields(text, context.expand);
  switch (fields.type) {
    case 'secret':
      return secretMount(fields);
    case 'ssh':
      return sshMount(fields, context, sshIndex);
    default:
      return fileSystemMount(fields, context);
  }
}

function fileSystemMount(fields: MountFields, context: MountContext): RunMount {
  const { type } = fields;
  const from: FileOrigin =
    type === 'cache' && fields.from === '' ? { kind: 'scratch' } : context.origin(fields.from, fields.target);
  const target = absolute(context.cwd, fields.target);
  if (target === '/') throw invalidMount(fields.target, 'invalid mount target "/"');
  const readOnly = fields.readOnly ?? type === 'bind';
  const source = absolute('/', fields.source);
  if (type === 'tmpfs') return { type, target, readOnly, ...(fields.sizeBytes > 0 && { sizeBytes: fields.sizeBytes }) };
  if (type === 'bind') return { type, target, from, source, readOnly };
  const { sharing = 'shared', mode, uid, gid } = fields;
  const id = fields.id === '' ? cleanPathText(fields.target) : fields.id;
  const told = source === '/' && (mode ?? uid ?? gid) !== undefined;
  const permissions = told ? { permissions: permissionsOf(fields, 0o755) } : {};
  return { type: 'cache', target, id, from, source, sharing, readOnly, ...permissions };
}

function secretMount(fields: MountFields): SecretMount {
  const { env, required, source, target } = fields;
  const id = [source, fields.id].find(text => text !== '') ?? baseName(target);
  const file = target === '' && env === undefined ? `/run/secrets/${baseName(id)}` : target;
  return {
    type: 'secret',
    id,
    ...(file === '' ? {} : { target: absolute('/', file) }),
    ...(env === undefined ? {} : { env: env === '' ? id : env }),
    required,
    permissions: permissionsOf(fields, 0o400),
  };
}

function sshMount(fields: MountFields, context: MountContext, index: number): SshMount {
  // Said of a stage or not, `from` of an agent is looked at only to see that it exists.
  if (fields.from !== '') context.origin(fields.from, fields.target);
  const target = fields.target === '' ? `/run/buildkit/ssh_agent.${index}` : absolute('/', fields.target);
  const id = fields.id === '' ? 'default' : fields.id;
  return { type: 'ssh', id, target, required: fields.required, permissions: permissionsOf(fields, 0o600) };
}

function permissionsOf(fields: MountFields, mode: number): MountPermissions {
  return { mode: fields.mode ?? mode, uid: fields.uid ?? 0, gid: fields.gid ?? 0 };
}

function absolute(parent: string, path: string): string {
  return cleanPathText(path.startsWith('/') ? `/${path}` : `/${parent}/${path}`);
}

function baseName(path: string): string {
  const trimmed = path.replace(/\/+$/, '');
  return trimmed.slice(trimmed.lastIndexOf('/') + 1);
}
