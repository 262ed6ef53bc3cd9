import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, realpath, symlink, writeFile } from 'node:fs/promises';
import { arch, machine, release, version } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { LadingError } from '../errors/errors.js';
import { removeFiles } from '../layer/remove-files.js';
import { decodePath } from '../tree/path.js';
import { embeddedPrograms } from './elf.js';
import { describeHostProgram, findHostProgram, type HostProgram } from './host-program.js';
import { insideScript } from './launcher/guardian.js';
import { type LaunchFields, launch } from './launcher/launcher.js';
import { launcherObstacle } from './launcher/system-calls.js';
import { type MountPoints, mountPoints } from './mount-points.js';
import { applyOwners, ownerReport } from './owners/owner-report.js';
import { OwnerTrace } from './owners/owner-trace.js';
import { ProotLog } from './owners/proot-log.js';
import { endingOfStatus } from './process-ending.js';
import { type PointsIn, prootSurroundings, type Surroundings } from './proot-files.js';
import { limitField } from './resource-limits.js';
import { type RunRequest, type RunResult, refusingSandbox, type Sandbox } from './sandbox.js';
import { systemCallFilter } from './system-call-filter.js';
import { refuseUserNetwork } from './user-network.js';

export interface ProotOptions {
  /** A folder that is there, on a disk that programs can be started from; what a run needs lies in it until it ends. */
  readonly scratch: string;
  /** Where programs are looked for, as in `PATH`. */
  readonly searchPath: string;
  /** Of the user who runs this: root gives files away for real. */
  readonly uid: number;
}

interface Tools {
  readonly proot: HostProgram;
  readonly perl: HostProgram;
  /** What proot starts in the place of each program, by the size of its addresses. */
  readonly loaders: ReturnType<typeof embeddedPrograms>;
  /** Whether it can show other names of the machine: in older versions, no program with shared libraries starts then. */
  readonly names: boolean;
}

/**
 * Runs processes by tracing them: works for any user, without any privilege, and without namespaces. Every system call
 * is stopped and its paths are led into the root; users other than the builder's are only played.
 */
export function prootSandbox({ scratch, searchPath, uid }: ProotOptions): Sandbox {
  let known: Promise<Tools | string> | undefined;
  const tools = (): Promise<Tools | string> => (known ??= findTools({ scratch, searchPath }));
  return {
    tier: 'proot',
    roots: 'directory',
    owners: uid === 0 ? 'kept' : 'recorded',
    emulation: 'started',
    check: async instruction => {
      const found = await tools();
      if (typeof found === 'string') await refusingSandbox(found).check(instruction);
    },
    run: async request => {
      const found = await tools();
      if (typeof found === 'string') return refusingSandbox(found).run(request);
      return runTraced(request, found, { scratch, uid });
    },
  };
}

/** Why processes cannot be traced here, found by tracing one; nothing where they can. */
export async function prootObstacle(
  options: Pick<ProotOptions, 'scratch' | 'searchPath'>,
): Promise<string | undefined> {
  const found = await findTools(options);
  return typeof found === 'string' ? found : undefined;
}

async function findTools({
  scratch,
  searchPath,
}: Pick<ProotOptions, 'scratch' | 'searchPath'>): Promise<Tools | string> {
  const obstacle = launcherObstacle();
  if (obstacle !== undefined) return obstacle;
  const [found, interpreter] = ['proot', 'perl'].map(name => findHostProgram(name, searchPath));
  if (found === undefined) return 'the program proot is not installed';
  if (interpreter === undefined) return 'the program perl, which confines what proot runs, is not installed';
  const [proot, perl] = await Promise.all([describeHostProgram(found), describeHostProgram(interpreter)]);
  const loaders = embeddedPrograms(await readFile(proot.path));
  if (loaders.length === 0) return `${found} is not a proot that is known here: it holds no loader`;
  const folder = await mkdtemp(join(await realpath(scratch), 'try-'));
  try {
    const env = { LC_ALL: 'C', ...(await prootEnvironment(loaders, folder)) };
    const runs = (options: readonly string[]): Promise<string | undefined> =>
      promisify(execFile)(proot.path, ['-v', '-1', ...options, perl.path, '-e', '0'], { env, timeout: 10_000 }).then(
        () => undefined,
        (error: { readonly stderr?: string; readonly message: string }) => error.stderr?.trim() || error.message,
      );
    const problem = await runs([]);
    if (problem !== undefined) return `proot does not work here: ${problem}`;
    return { proot, perl, loaders, names: (await runs(['-k', kernelNames('name')])) === undefined };
  } finally {
    await removeFiles(folder);
  }
}

/** What proot is told by its environment. It would else write its loaders to the system's folder for temporary files. */
async function prootEnvironment(loaders: Tools['loaders'], folder: string): Promise<Record<string, string>> {
  // Every call is to be told of, and not only those that proot itself wants to see.
  const env: Record<string, string> = { PROOT_TMP_DIR: folder, PROOT_NO_SECCOMP: '1' };
  for (const { bits, bytes } of loaders) {
    const path = join(folder, `loader-${bits}`);
    await writeFile(path, bytes, { mode: 0o755 });
    env[`PROOT_LOADER${bits === 32 ? '_32' : ''}`] = path;
  }
  return env;
}

async function runTraced(
  request: RunRequest,
  tools: Tools,
  { scratch, uid }: Pick<ProotOptions, 'scratch' | 'uid'>,
): Promise<RunResult> {
  refuseUserNetwork(request, 'proot');
  request.signal?.throwIfAborted();
  if (request.root.kind !== 'directory') throw new Error('a traced process has a folder as its root');
  const root = await realpath(request.root.path);
  const folder = await mkdtemp(join(await realpath(scratch), 'run-'));
  const points = new Map<string, MountPoints>();
  const pointsIn = (place: string): MountPoints => {
    const known = points.get(place) ?? mountPoints(place);
    points.set(place, known);
    return known;
  };
  try {
    const missing = await pointsIn(root).makeDirectory(request.cwd);
    const fields = await traceFields(request, tools, { root, folder, pointsIn, builder: uid });
    const { user, ownerBefore } = request;
    const trace = new OwnerTrace({ root: decodePath(Buffer.from(root)), user, ownerBefore });
    const log = new ProotLog(trace);
    const ending = await launch({ perl: tools.perl.path, fields, request, onLog: chunk => log.write(chunk) });
    log.end();
    if ('failure' in ending) return await refusingSandbox([ending.failure, log.last].join(': ')).run(request);
    for (const path of missing) trace.ledger.make(path, user);
    const report = ownerReport(trace, { root, user, ownerBefore });
    if (uid !== 0) return { ...endingOfStatus(ending.status), ...report };
    applyOwners(root, report.owners);
    return { ...endingOfStatus(ending.status), uncertain: report.uncertain };
  } finally {
    for (const each of points.values()) await each.remove();
    await removeFiles(folder);
  }
}

interface Place extends PointsIn {
  /** For this run. */
  readonly folder: string;
  /** The user who runs this. */
  readonly builder: number;
}

/** Of a builder that is root: what takes part in giving files away, and in coming to all of them. */
const rootCapabilities = {
  /** CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, NET_BIND_SERVICE, NET_RAW, AUDIT_WRITE, SETFCAP. */
  root: '00000000a000243b',
  /** DAC_OVERRIDE: files that others than root are to have belong to root until the end. */
  others: '2',
};

async function traceFields(
  request: RunRequest,
  { proot, perl, loaders, names }: Tools,
  { root, folder, pointsIn, builder }: Place,
): Promise<LaunchFields> {
  const tools = join(folder, 'tools');
  await mkdir(tools);
  const hostEnvironment = Object.entries(await prootEnvironment(loaders, tools));
  const around = await prootSurroundings(request, folder, perl, { root, pointsIn });
  const readable = [...around.readable, tools, ...filesOf(proot)];
  const writable = around.writable;
  const { uid, gid } = request.user;
  return [
    ...hostEnvironment.map(([name, value]) => ['hostenv', `${name}=${value}`] as const),
    ...[
      ...[proot.path, '-v', '5', ...(uid === 0 && gid === 0 ? ['-0'] : ['-i', `${uid}:${gid}`])],
      ...(names ? ['-k', kernelNames(request.hostname)] : []),
      ...['-r', root, '-w', '/'],
      // It shows all of this machine for the sake of emulators, which the bindings take back.
      ...(request.emulator === undefined ? [] : ['-q', request.emulator.path]),
      ...(await bindingArguments(around, folder)),
      ...[...around.perl, '-e', insideScript()],
    ].map(part => ['proot', part] as const),
    ['allow', `${request.readOnly ? 'r' : 'rwm'}:${root}`],
    ...readable.map(path => ['allow', `r:${path}`] as const),
    ...writable.map(path => ['allow', `rwm:${path}`] as const),
    ['confined', request.readOnly || around.exchangeable ? '1' : ''],
    ...systemCallFilter(arch() as NodeJS.Architecture, { traced: true, network: request.network }).map(
      line => ['filter', line] as const,
    ),
    ...request.limits.map(limit => ['limit', limitField(limit)] as const),
    ['capabilities', builder !== 0 ? '0' : uid === 0 ? rootCapabilities.root : rootCapabilities.others],
    ['cwd', request.cwd],
    ...request.argv.map(part => ['arg', part] as const),
    ...request.env.map(pair => ['env', pair] as const),
  ];
}

/** `-b SOURCE:TARGET!`: proot takes the first colon for the one that divides, and follows a link unless told not to. */
async function bindingArguments({ bindings }: Surroundings, folder: string): Promise<string[]> {
  const parts: string[] = [];
  for (const [place, { source, target }] of bindings.entries()) {
    const alias = join(folder, `source-${place}`);
    if (source.includes(':')) await symlink(source, alias);
    parts.push('-b', `${source.includes(':') ? alias : source}:${target}!`);
  }
  return parts;
}

/** As proot takes `uname`: the names of this machine, but for the one that the process is to see. */
function kernelNames(hostname: string): string {
  const fields = ['Linux', hostname, release(), version(), machine(), '(none)', '-1'];
  for (const field of fields) {
    if (!field.includes('\\')) continue;
    throw new LadingError('INVALID_VALUE', `${field} is not a name of a machine`, {
      details: { what: 'hostname', value: field },
    });
  }
  return `\\${fields.join('\\')}\\`;
}

function filesOf({ path, interpreter, libraries }: HostProgram): string[] {
  return [path, ...(interpreter === undefined ? [] : [interpreter]), ...libraries.map(library => library.path)];
}
