import * as z from 'zod/mini';
import { LadingError } from '../errors/errors.js';

/** OCI image-spec, image-index.md: `platform`. Always normalised: `arm64` without variant, `arm` with one. */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string | undefined;
  readonly 'os.version'?: string | undefined;
  readonly 'os.features'?: readonly string[] | undefined;
}

export const platformSchema = z.looseObject({
  os: z.string(),
  architecture: z.string(),
  variant: z.optional(z.string()),
  'os.version': z.optional(z.string()),
  'os.features': z.optional(z.array(z.string())),
});

const knownOs = new Set(
  'aix android darwin dragonfly freebsd hurd illumos ios js linux nacl netbsd openbsd plan9 solaris wasip1 windows zos'.split(
    ' ',
  ),
);
const knownArchitectures = new Set(
  (
    '386 amd64 amd64p32 arm armbe arm64 arm64be ppc64 ppc64le loong64 mips mipsle mips64 mips64le mips64p32 ' +
    'mips64p32le ppc riscv riscv64 s390 s390x sparc sparc64 wasm'
  ).split(' '),
);
const part = /^[A-Za-z0-9_.-]+$/;

/** The platform of this machine's images: Linux, whatever the host's own system, with the host's architecture. */
export function hostPlatform(nodeArch: string): Platform {
  const architectures: Record<string, Platform> = {
    x64: { os: 'linux', architecture: 'amd64' },
    ia32: { os: 'linux', architecture: '386' },
    arm: { os: 'linux', architecture: 'arm', variant: 'v7' },
    mipsel: { os: 'linux', architecture: 'mipsle' },
    ppc64: { os: 'linux', architecture: 'ppc64le' },
  };
  return architectures[nodeArch] ?? { os: 'linux', architecture: nodeArch };
}

/**
 * Parses `os[(osversion)]/arch[/variant]`, or a single part that is one of the two, or `local`, and normalises it
 * the way containerd does (aarch64 is arm64, armhf is arm/v7, amd64/v1 is amd64 …).
 * @throws LadingError INVALID_VALUE
 */
export function parsePlatform(text: string, local: Platform): Platform {
  if (text === 'local') return local;
  const pieces = text.split('/');
  const version = /^([^()]*)\(([^()]+)\)$/.exec(pieces[0]!);
  const osVersion = version?.[2];
  if (version) pieces[0] = version[1]!;
  if (pieces.length > 3 || pieces.some(piece => !part.test(piece))) {
    throw invalidPlatform(text, 'cannot parse platform specifier');
  }
  const withVersion = (platform: Platform): Platform =>
    osVersion === undefined ? platform : { ...platform, 'os.version': osVersion };
  const first = pieces[0]!.toLowerCase();
  if (pieces.length === 1) {
    const os = normalizeOs(first);
    if (knownOs.has(os)) {
      return withVersion(normalizePlatform({ os, architecture: local.architecture, variant: local.variant }));
    }
    const platform = normalizePlatform({ os: local.os, architecture: first });
    if (knownArchitectures.has(platform.architecture)) return withVersion(platform);
    throw invalidPlatform(text, 'unknown operating system or architecture');
  }
  return withVersion(normalizePlatform({ os: first, architecture: pieces[1]!, variant: pieces[2] }));
}

export function normalizePlatform(platform: Platform): Platform {
  const os = normalizeOs(platform.os.toLowerCase());
  let architecture = platform.architecture.toLowerCase();
  let variant = platform.variant?.toLowerCase() || undefined;
  switch (architecture) {
    case 'i386':
      architecture = '386';
      variant = undefined;
      break;
    case 'x86_64':
    case 'x86-64':
      architecture = 'amd64';
      break;
    case 'aarch64':
      architecture = 'arm64';
      break;
    case 'armhf':
      architecture = 'arm';
      variant = 'v7';
      break;
    case 'armel':
      architecture = 'arm';
      variant = 'v6';
      break;
  }
  if (architecture === 'amd64' && variant === 'v1') variant = undefined;
  if (architecture === 'arm64' && (variant === '8' || variant === 'v8')) variant = undefined;
  if (architecture === 'arm') {
    if (variant === undefined) variant = 'v7';
    else if (/^[5-8]$/.test(variant)) variant = `v${variant}`;
  }
  const { variant: _, ...rest } = platform;
  return { ...rest, os, architecture, ...(variant === undefined ? {} : { variant }) };
}

/** `os/arch[/variant]`, without the version of the operating system. */
export function formatPlatform(platform: Platform): string {
  return [platform.os, platform.architecture, platform.variant].filter(Boolean).join('/');
}

/** `os[(osversion)]/arch[/variant]`. */
export function formatPlatformFull(platform: Platform): string {
  const os = platform['os.version'] ? `${platform.os}(${platform['os.version']})` : platform.os;
  return [os, platform.architecture, platform.variant].filter(Boolean).join('/');
}

/**
 * How well `candidate` serves `wanted`: 0 is exact, larger is a usable older variant (arm/v7 takes v6 and v5,
 * arm64 takes arm/v8 …), `undefined` does not run.
 */
export function platformDistance(wantedRaw: Platform, candidateRaw: Platform): number | undefined {
  const wanted = normalizePlatform(wantedRaw);
  const candidate = normalizePlatform(candidateRaw);
  if (wanted.os !== candidate.os || wanted.architecture !== candidate.architecture) return undefined;
  if (wanted['os.version'] && candidate['os.version'] && wanted['os.version'] !== candidate['os.version'])
    return undefined;
  const variants = [wanted.variant, candidate.variant].map(text =>
    Number(/^v(\d+)$/.exec(text ?? '')?.[1] ?? Number.NaN),
  );
  if (wanted.variant === candidate.variant) return 0;
  if (wanted.variant === undefined) return undefined;
  if (candidate.variant === undefined) return 100;
  const distance = variants[0]! - variants[1]!;
  return distance > 0 ? distance : undefined;
}

function normalizeOs(os: string): string {
  return os === 'macos' ? 'darwin' : os;
}

function invalidPlatform(text: string, problem: string): LadingError {
  return new LadingError('INVALID_VALUE', `${JSON.stringify(text)}: ${problem}`, {
    details: { what: 'platform', value: text },
    hint: 'A platform is written os/architecture[/variant], for example linux/arm64 or linux/arm/v7.',
  });
}
