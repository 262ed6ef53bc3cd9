import {
  buildImage,
  type Diagnostic,
  hostPlatform,
  parseAnnotation,
  parseAttestations,
  parseSecret,
} from '../../src/index.js';
import { attestationTexts } from '../build-attestations.js';
import { buildCall } from '../build-call.js';
import { buildCommands, commandOptions } from '../build-commands.js';
import { buildCompression } from '../build-compression.js';
import { buildOutputs } from '../build-outputs.js';
import { buildProgressMode } from '../build-progress-mode.js';
import { buildSource } from '../build-source.js';
import { defineCommand } from '../command.js';
import { keyValues } from '../key-values.js';
import { offlineNote, registryAccess, registryOptions } from '../registry-options.js';
import { buildMetadata } from '../render/build-metadata.js';
import { namedDigest } from '../render/named-digest.js';
import { printableLine } from '../render/printable.js';
import { withProgress } from '../render/progress.js';
import { platformList, platformsOption } from '../shared-options.js';
import { withStore } from '../store-session.js';
import { foreignLayerOptions, transferOptions } from '../transfer-options.js';
import { UsageError } from '../usage-error.js';
import { prepareResult, writeResult } from '../write-result.js';
import { unsupportedBuildOptions } from './build-unsupported.js';

const severally = { type: 'string', array: true, requiresArg: true } as const;

export const command = defineCommand({
  positionals: {
    context: {
      type: 'string',
      demandOption: true,
      describe:
        'Folder to build, Git repository (https://HOST/NAME.git#REF:FOLDER), address of an archive, or - for an archive or a Dockerfile alone on standard input',
    },
  },
  options: {
    tag: { ...severally, alias: 't', describe: 'Name for the image' },
    file: {
      type: 'string',
      alias: 'f',
      requiresArg: true,
      describe: 'Dockerfile, or - for standard input [default: Dockerfile in the context]',
    },
    target: { type: 'string', requiresArg: true, describe: 'Stage to build, instead of the last' },
    'build-arg': { ...severally, describe: 'NAME=VALUE for an ARG; NAME alone takes it from the environment' },
    annotation: {
      ...severally,
      describe: 'KEY=VALUE for the manifest, or TYPE:KEY=VALUE; types are manifest, index and both with -descriptor',
    },
    label: { ...severally, describe: 'NAME=VALUE for a label of the image' },
    'build-context': {
      ...severally,
      describe:
        'NAME=PLACE for FROM and --from: a folder, docker-image://NAME, oci-layout://DIR, or an address as for the context; NAME::linux/arm64 for one platform',
    },
    secret: { ...severally, describe: 'Secret for the build: id=ID,src=FILE, or id=ID,env=VARIABLE' },
    ...commandOptions,
    ...platformsOption,
    output: {
      ...severally,
      alias: 'o',
      describe: 'Further result: a folder, or type=oci|docker|tar|local|image|registry|cacheonly,KEY=VALUE',
    },
    push: { type: 'boolean', describe: 'Push every name when the build is done' },
    load: {
      type: 'boolean',
      describe: 'Keep the image in the store, as is done anyway; "lading save" hands it to an engine',
    },
    provenance: {
      type: 'string',
      requiresArg: true,
      describe: 'Say in the image what it was made from: true, false, or mode=min|max,KEY=VALUE [default: false]',
    },
    attest: { ...severally, describe: 'The same as type=provenance,KEY=VALUE' },
    allow: {
      ...severally,
      describe:
        'Allow network.host or security.insecure to RUN, or buildx.local.delete: mode=delete outside the current folder',
    },
    pull: { type: 'boolean', conflicts: 'offline', describe: 'Ask registries for newer base images' },
    'no-cache': { type: 'boolean', conflicts: 'no-cache-filter', describe: 'Carry every step out again' },
    'no-cache-filter': { ...severally, describe: 'Carry the steps of these stages out again; names with commas' },
    timestamps: {
      choices: ['clamp', 'keep', 'exact'] as const,
      requiresArg: true,
      describe:
        'File times: none later than SOURCE_DATE_EPOCH (2000-01-01), or as they are, in seconds or exact [default: clamp]',
    },
    compression: {
      type: 'string',
      requiresArg: true,
      describe: 'Of new layers: gzip, zstd or none, with a level as in zstd:19 [default: gzip]',
    },
    'compression-level': {
      type: 'number',
      requiresArg: true,
      describe: 'From 1, fast, to 9, small; zstd from 1 to 22 [default: 4; of zstd 3]',
    },
    'force-compression': { type: 'boolean', describe: 'Compress layers of the base image like new ones' },
    jobs: {
      type: 'number',
      requiresArg: true,
      describe: 'Steps carried out at a time [default: the number of processors, at least 4]',
    },
    call: {
      type: 'string',
      requiresArg: true,
      describe: 'What to do: build, check, outline or targets; with ,format=json for programs [default: build]',
    },
    check: { type: 'boolean', describe: 'Look for faults in the Dockerfile and build nothing; short for --call check' },
    'metadata-file': {
      type: 'string',
      requiresArg: true,
      describe: 'File for digests and names of the image, as JSON',
    },
    iidfile: { type: 'string', requiresArg: true, describe: 'File for the digest of the image' },
    ...registryOptions,
    ...transferOptions,
    ...foreignLayerOptions,
    offline: { type: 'boolean', describe: 'Ask no server: base images and files of the web must be in the store' },
    quiet: { alias: 'q', type: 'boolean', describe: 'Print the digest and nothing else' },
  },
  unsupported: unsupportedBuildOptions,
  examples: [
    { line: 'lading build -t app:1.0 .', does: 'Build this folder into the store' },
    { line: 'lading build -t ghcr.io/me/app --push .', does: 'And push it' },
    { line: 'lading build -t app https://github.com/me/app.git#v1.0', does: 'Build a tag of a Git repository' },
    { line: 'tar -c . | lading build -t app -', does: 'Build an archive from standard input' },
    { line: 'lading build --platform linux/amd64,linux/arm64 -t app .', does: 'For two platforms' },
    {
      line: 'lading build --check .',
      does: 'Only say what is odd about the Dockerfile, and end with 1 if anything is',
    },
    { line: 'lading build -o type=docker,dest=app.tar -t app .', does: 'And write an archive for docker load' },
  ],
  async run(args, context) {
    const { signal, env, cwd, arch, stdout, stderr } = context;
    const call = buildCall(args);
    const host = hostPlatform(arch);
    const outputs = await buildOutputs(args, host, context);
    const compression = buildCompression(args);
    const commands = buildCommands(args, context);
    const provenance = parseAttestations(attestationTexts(args));
    const buildArgs = keyValues(args.buildArg, { option: '--build-arg', bare: name => env[name] });
    if (env['SOURCE_DATE_EPOCH'] !== undefined) buildArgs['SOURCE_DATE_EPOCH'] ??= env['SOURCE_DATE_EPOCH'];
    const source = { ...(await buildSource(args, context)), directory: cwd };
    const planning = {
      host,
      target: args.target,
      platforms: platformList(args.platform ?? env['DOCKER_DEFAULT_PLATFORM']?.split(' ')),
      buildArgs,
      buildContexts: keyValues(args.buildContext, { option: '--build-context', bare: missingPlace }),
      pull: args.offline ? 'never' : args.pull ? 'always' : 'missing',
      env,
      signal,
    } as const;
    const secretsOf = (onWarning: (message: string) => void) =>
      Object.fromEntries((args.secret ?? []).map(text => parseSecret(text, { env, onWarning })));
    if (call.method !== 'build') {
      const warning = (message: string) => void stderr.write(`warning: ${printableLine(message)}\n`);
      const access = { registry: registryAccess(args, context, warning), secrets: secretsOf(warning) };
      const { analyzeDockerfile } = await import('../analyze-dockerfile.js');
      return await analyzeDockerfile(call, source, { ...planning, ...access }, args, context);
    }
    if (args.load && outputs.some(({ type, store }) => type === 'cacheonly' || store === false)) {
      throw new UsageError('--load keeps the image in the store, and an output keeps it out', 'Leave one of them out.');
    }
    for (const file of [args.iidfile, args.metadataFile]) if (file !== undefined) await prepareResult(file, context);
    const mode = buildProgressMode(args, env);
    const diagnostics: Diagnostic[] = [];
    const result = await withStore(args, context, store =>
      withProgress(mode, context, async progress => {
        if (args.offline) progress.note(offlineNote);
        return await buildImage({
          ...source,
          ...planning,
          store,
          tags: args.tag,
          labels: keyValues(args.label, { option: '--label', bare: () => '' }),
          secrets: secretsOf(progress.warning),
          annotations: args.annotation?.flatMap(text => parseAnnotation(text, host)),
          noCache: args.noCache,
          noCacheFilter: args.noCacheFilter?.flatMap(names => names.split(',').map(name => name.trim())),
          timestamps: args.timestamps,
          ...compression,
          ...commands,
          concurrency: args.jobs,
          provenance,
          outputs,
          push: args.push,
          registry: registryAccess(args, context, progress.warning),
          onEvent: event => {
            if (event.kind === 'diagnostic') diagnostics.push(event.diagnostic);
            progress.build(event);
          },
        });
      }),
    );
    const { digest } = result.descriptor;
    if (args.iidfile !== undefined) await writeResult(args.iidfile, digest, context);
    if (args.metadataFile !== undefined) {
      await writeResult(args.metadataFile, buildMetadata(result, { env, diagnostics }), context);
    }
    const names = result.names.map(name => namedDigest(name, digest));
    const lines = mode === 'quiet' || names.length === 0 ? [digest] : names;
    const toStdout = outputs.some(output => output.stream !== undefined);
    (toStdout ? stderr : stdout).write(lines.map(line => `${line}\n`).join(''));
    if (args.load && mode !== 'quiet') stderr.write(`${loadNote}\n`);
    return undefined;
  },
});

const loadNote = 'note: the image is in the store of lading; for an engine: lading save NAME | docker load';

function missingPlace(name: string): never {
  throw new UsageError(`--build-context ${name}: the place is missing`, 'Write --build-context NAME=FOLDER.');
}
