import { LadingError } from '../errors/errors.js';

/** Build arguments that mean something to a builder without any ARG, SOURCE_DATE_EPOCH aside. */
const builderArgs = new Set([
  'BUILDKIT_BUILD_NAME',
  'BUILDKIT_CACHE_MOUNT_NS',
  'BUILDKIT_CONTEXT_KEEP_GIT_DIR',
  'BUILDKIT_DOCKERFILE_CHECK',
  'BUILDKIT_INLINE_CACHE',
  'BUILDKIT_MULTI_PLATFORM',
  'BUILDKIT_SANDBOX_HOSTNAME',
  'BUILDKIT_SBOM_SCAN_CONTEXT',
  'BUILDKIT_SBOM_SCAN_STAGE',
  'BUILDKIT_SYNTAX',
]);

/** Those that would make another image, with what can be done instead. */
const unsupported: ReadonlyMap<string, string> = new Map([
  ['BUILDKIT_INLINE_CACHE', 'Leave it out: the cache is in the store, whose folder can be kept between builds.'],
]);

export function isBuilderArg(name: string): boolean {
  return builderArgs.has(name);
}

/** @throws LadingError UNSUPPORTED when one that is not supported is switched on */
export function checkBuilderArgs(buildArgs: ReadonlyMap<string, string>): void {
  for (const [name, hint] of unsupported) {
    const value = buildArgs.get(name);
    if (value === undefined || /^(?:|0|f|F|false|FALSE|False)$/.test(value)) continue;
    throw new LadingError('UNSUPPORTED', `the build argument ${name} is not supported`, {
      details: { feature: name },
      hint,
    });
  }
}
