import { resolve } from 'node:path';
import { buildImage, hostPlatform, type Output, parseAnnotation, parseOutput } from '../../src/index.js';
import { analyzeDockerfile } from '../analyze-dockerfile.js';
import { buildCall } from '../build-call.js';
import { buildSource } from '../build-source.js';
import { defineCommand } from '../command.js';
import type { CliContext } from '../context.js';
import { keyValues } from '../key-values.js';
import { registryAccess, registryOptions } from '../registry-options.js';
import { buildMetadata } from '../render/build-metadata.js';
import { namedDigest } from '../render/named-digest.js';
import { printableLine } from '../render/printable.js';
import { withProgress } from '../render/progress.js';
import { platformList, platformsOption } from '../shared-options.js';
import { withStore } from '../store-session.js';
import { UsageError } from '../usage-error.js';
import { writeResult } from '../write-result.js';
import { unsupportedBuildOptions } from './build-unsupported.js';

const severally = { type: 'string', array: true, requiresArg: true } as const;

export const command = defineCommand({
  positionals: {
    context: {
      type: 'string',
      demandOption: true,
      describe: 'Folder to build, address of an archive, or - for an archive or a Dockerfile alone on standard input',
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
      describe: 'NAME=PLACE for FROM and --from: a folder, docker-image://NAME or oci-layout://DIR',
    },
    ...platformsOption,
    output: {
      ...severally,
      alias: 'o',
      describe: 'Further result: a folder, or type=oci|docker|tar|local|registry,dest=PATH',
    },
    push: { type: 'boolean', describe: 'Push every name when the build is done' },
    pull: { type: 'boolean', conflicts: 'offline', describe: 'Ask registries for newer base images' },
    offline: { type: 'boolean', describe: 'Ask no registry: base images must be in the store' },
    'no-cache': { type: 'boolean', conflicts: 'no-cache-filter', describe: 'Carry every step out again' },
    'no-cache-filter': { ...severally, describe: 'Carry the steps of these stages out again; names with commas' },
    timestamps: {
      choices: ['clamp', 'keep'] as const,
      default: 'clamp' as const,
      requiresArg: true,
      describe: 'File times: none later than SOURCE_DATE_EPOCH (2000-01-01), or as they are',
    },
    compression: {
      choices: ['gzip', 'zstd', 'none'] as const,
      requiresArg: true,
      describe: 'Of new layers [default: gzip]',
    },
    'compression-level': {
      type: 'number',
      requiresArg: true,
      describe: 'From 0, fast, to 9, small; zstd from 1 to 22',
    },
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
    quiet: { alias: 'q', type: 'boolean', describe: 'Print the digest and nothing else' },
  },
  unsupported: unsupportedBuildOptions,
  examples: [
    { line: 'lading build -t app:1.0 .', does: 'Build this folder into the store' },
    { line: 'lading build -t ghcr.io/me/app --push .', does: 'And push it' },
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
    const outputs = (args.output ?? []).map(text => placedOutput(parseOutput(text, host), context));
    const toStdout = outputs.some(output => output.stream !== undefined);
    const buildArgs = keyValues(args.buildArg, { option: '--build-arg', bare: name => env[name] });
    if (env['SOURCE_DATE_EPOCH'] !== undefined) buildArgs['SOURCE_DATE_EPOCH'] ??= env['SOURCE_DATE_EPOCH'];
    const source = { ...(await buildSource(args, context)), directory: cwd };
    const planning = {
      host,
      target: args.target,
      platforms: platformList(args.platform),
      buildArgs,
      buildContexts: keyValues(args.buildContext, { option: '--build-context', bare: missingPlace }),
      pull: args.offline ? 'never' : args.pull ? 'always' : 'missing',
      signal,
    } as const;
    if (call.method !== 'build') {
      const warning = (message: string) => void stderr.write(`warning: ${printableLine(message)}\n`);
      const registry = registryAccess(args, context, warning);
      return await analyzeDockerfile(call, source, { ...planning, registry }, args, context);
    }
    const result = await withStore(args, context, store =>
      withProgress(args.quiet ? 'quiet' : args.progress, context, progress =>
        buildImage({
          ...source,
          ...planning,
          store,
          tags: args.tag,
          labels: keyValues(args.label, { option: '--label', bare: () => '' }),
          annotations: args.annotation?.flatMap(text => parseAnnotation(text, host)),
          noCache: args.noCache,
          noCacheFilter: args.noCacheFilter?.flatMap(names => names.split(',').map(name => name.trim())),
          timestamps: args.timestamps,
          compression: args.compression,
          level: args.compressionLevel,
          concurrency: args.jobs,
          outputs,
          push: args.push,
          registry: registryAccess(args, context, progress.warning),
          onEvent: progress.build,
        }),
      ),
    );
    const { digest } = result.descriptor;
    if (args.iidfile !== undefined) await writeResult(args.iidfile, digest, context);
    if (args.metadataFile !== undefined) await writeResult(args.metadataFile, buildMetadata(result), context);
    const lines =
      args.quiet || result.names.length === 0 ? [digest] : result.names.map(name => namedDigest(name, digest));
    (toStdout ? stderr : stdout).write(lines.map(line => `${line}\n`).join(''));
    return undefined;
  },
});

/** Paths start in the folder that the command was started in; `-` is standard output. */
function placedOutput(output: Output, { cwd, stdout }: CliContext): Output {
  if (output.dest === undefined) return output;
  if (output.dest !== '-') return { ...output, dest: resolve(cwd, output.dest) };
  if (stdout.isTTY)
    throw new UsageError('an archive is nothing for a terminal', 'Write dest=FILE, or send it into a pipe.');
  return { ...output, stream: stdout };
}

function missingPlace(name: string): never {
  throw new UsageError(`--build-context ${name}: the place is missing`, 'Write --build-context NAME=FOLDER.');
}
