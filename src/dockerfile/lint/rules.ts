/** A Dockerfile that a rule is shown with, and what it is built with where that matters. */
export interface LintExample {
  readonly dockerfile: string;
  readonly dockerignore?: string | undefined;
  /** `--platform`; every base image of the examples is for linux/amd64. */
  readonly platform?: string | undefined;
}

export interface LintRule {
  /** One or two sentences: what is found, and why it is a fault. */
  readonly description: string;
  /** Looked for only where `experimental=` asks for it; `skip=` has no effect then. */
  readonly experimental: boolean;
  /** `instruction`: a `# check=` comment right above an instruction applies to it; `file`: only the one at the top does. */
  readonly scope: 'file' | 'instruction';
  readonly bad: LintExample;
  readonly good: LintExample;
}

const forFile = { experimental: false, scope: 'file' } as const;
const forInstruction = { experimental: false, scope: 'instruction' } as const;

/** Every rule, by the name that BuildKit gives it. */
export const lintRules = {
  StageNameCasing: {
    ...forInstruction,
    description:
      'A stage name has capital letters. Names are compared in lower case, so capitals suggest a difference that is not there.',
    bad: { dockerfile: 'FROM alpine AS BuildBase\n' },
    good: { dockerfile: 'FROM alpine AS build-base\n' },
  },
  FromAsCasing: {
    ...forInstruction,
    description: 'FROM and its AS are not both in capitals or both in small letters.',
    bad: { dockerfile: 'FROM alpine as build\n' },
    good: { dockerfile: 'FROM alpine AS build\n' },
  },
  NoEmptyContinuation: {
    ...forFile,
    description:
      'An empty line stands inside an instruction that goes on over several lines. It is dropped today and may end the instruction one day.',
    bad: { dockerfile: 'FROM alpine\nENV A=1 \\\n\n    B=2\n' },
    good: { dockerfile: 'FROM alpine\nENV A=1 \\\n    # comments are fine\n    B=2\n' },
  },
  ConsistentInstructionCasing: {
    ...forFile,
    description: 'An instruction is not written in the case (capitals or small letters) that most of the file uses.',
    bad: { dockerfile: 'FROM alpine\nworkdir /app\nCOPY . .\n' },
    good: { dockerfile: 'FROM alpine\nWORKDIR /app\nCOPY . .\n' },
  },
  DuplicateStageName: {
    ...forFile,
    description: 'Two stages have one name, so that one of them cannot be referred to.',
    bad: { dockerfile: 'FROM alpine AS tools\nFROM debian AS tools\n' },
    good: { dockerfile: 'FROM alpine AS build-tools\nFROM debian AS tools\n' },
  },
  ReservedStageName: {
    ...forFile,
    description:
      'A stage is called `scratch` or `context`. Those words mean something else wherever a stage can be named.',
    bad: { dockerfile: 'FROM alpine AS context\n' },
    good: { dockerfile: 'FROM alpine AS sources\n' },
  },
  JSONArgsRecommended: {
    ...forInstruction,
    description:
      'CMD or ENTRYPOINT is in shell form although no SHELL asks for that. The program then runs below a shell that does not pass signals on to it.',
    bad: { dockerfile: 'FROM alpine\nENTRYPOINT server --port 80\n' },
    good: { dockerfile: 'FROM alpine\nENTRYPOINT ["server", "--port", "80"]\n' },
  },
  MaintainerDeprecated: {
    ...forInstruction,
    description: 'MAINTAINER is an old instruction that a label has replaced.',
    bad: { dockerfile: 'FROM alpine\nMAINTAINER ann@example.org\n' },
    good: { dockerfile: 'FROM alpine\nLABEL org.opencontainers.image.authors="ann@example.org"\n' },
  },
  UndefinedArgInFrom: {
    ...forInstruction,
    description: 'FROM uses a variable that no ARG before the first FROM declares.',
    bad: { dockerfile: 'FROM alpine:${VERSION:-3}\n' },
    good: { dockerfile: 'ARG VERSION=3\nFROM alpine:$VERSION\n' },
  },
  WorkdirRelativePath: {
    ...forInstruction,
    description:
      'The first WORKDIR is relative: where it leads is up to the base image, which may change. Later ones may well be relative.',
    bad: { dockerfile: 'FROM alpine\nWORKDIR app\n' },
    good: { dockerfile: 'FROM alpine\nWORKDIR /app\nWORKDIR bin\n' },
  },
  UndefinedVar: {
    ...forInstruction,
    description: 'A variable is used that neither the base image nor an ENV or ARG before this line has set.',
    bad: { dockerfile: 'FROM alpine\nARG DIRECTORY=/app\nCOPY . $DIRECTRY/\n' },
    good: { dockerfile: 'FROM alpine\nARG DIRECTORY=/app\nCOPY . $DIRECTORY/\n' },
  },
  MultipleInstructionsDisallowed: {
    ...forInstruction,
    description: 'A stage has more than one CMD, ENTRYPOINT or HEALTHCHECK, of which only the last has an effect.',
    bad: { dockerfile: 'FROM alpine\nCMD ["first"]\nCMD ["second"]\n' },
    good: { dockerfile: 'FROM alpine AS base\nCMD ["first"]\nFROM base\nCMD ["second"]\n' },
  },
  LegacyKeyValueFormat: {
    ...forInstruction,
    description:
      'ENV or LABEL is written with a space between name and value. All that follows is the value then, also what looks like another pair.',
    bad: { dockerfile: 'FROM alpine\nENV DIRECTORY /app\n' },
    good: { dockerfile: 'FROM alpine\nENV DIRECTORY=/app\n' },
  },
  InvalidBaseImagePlatform: {
    ...forFile,
    description: 'A base image is for another operating system or processor than the one that is built for.',
    bad: { dockerfile: 'FROM example.org/tools\n', platform: 'linux/arm64' },
    good: { dockerfile: 'FROM example.org/tools\n', platform: 'linux/amd64' },
  },
  RedundantTargetPlatform: {
    ...forInstruction,
    description: 'FROM asks for $TARGETPLATFORM, which is what it gets anyway.',
    bad: { dockerfile: 'FROM --platform=$TARGETPLATFORM alpine\n' },
    good: { dockerfile: 'FROM --platform=$BUILDPLATFORM alpine\n' },
  },
  SecretsUsedInArgOrEnv: {
    ...forInstruction,
    description:
      'The name of an ENV or ARG sounds like a secret. Both stay readable in the image; a secret mount of RUN does not.',
    bad: { dockerfile: 'FROM alpine\nARG API_TOKEN\n' },
    good: {
      dockerfile: 'FROM alpine\nRUN --mount=type=secret,id=api-token fetch --token-file /run/secrets/api-token\n',
    },
  },
  InvalidDefaultArgInFrom: {
    ...forFile,
    description: 'FROM names no valid image unless a build argument is given: the file does not build by itself.',
    bad: { dockerfile: 'ARG VERSION\nFROM alpine:$VERSION\n' },
    good: { dockerfile: 'ARG VERSION=3\nFROM alpine:$VERSION\n' },
  },
  FromPlatformFlagConstDisallowed: {
    ...forInstruction,
    description:
      'FROM has a fixed platform, so the file builds for one platform only. A stage that is meant to be like that says so by having the system or the processor in its name.',
    bad: { dockerfile: 'FROM --platform=linux/amd64 alpine AS build\n' },
    good: { dockerfile: 'FROM --platform=linux/amd64 alpine AS build-amd64\n' },
  },
  CopyIgnoredFile: {
    ...forInstruction,
    description:
      'COPY or ADD wants a file that .dockerignore leaves out of the context. Not looked for where .dockerignore takes files in again with `!`.',
    bad: { dockerfile: 'FROM alpine\nCOPY dist/app /usr/bin/\n', dockerignore: 'dist\n' },
    good: { dockerfile: 'FROM alpine\nCOPY dist/app /usr/bin/\n', dockerignore: 'dist/*.map\n' },
  },
  InvalidDefinitionDescription: {
    experimental: true,
    scope: 'instruction',
    description:
      'The comment above an ARG or a named FROM does not start with the name it describes. A bare `#` line between comment and instruction says that it is no description.',
    bad: { dockerfile: '# check=experimental=all\n\n# the stage that compiles\nFROM alpine AS build\n' },
    good: { dockerfile: '# check=experimental=all\n\n# build compiles\nFROM alpine AS build\n' },
  },
  ExposeProtoCasing: {
    ...forInstruction,
    description: 'The protocol in EXPOSE has capital letters.',
    bad: { dockerfile: 'FROM alpine\nEXPOSE 53/UDP\n' },
    good: { dockerfile: 'FROM alpine\nEXPOSE 53/udp\n' },
  },
  ExposeInvalidFormat: {
    ...forInstruction,
    description:
      'EXPOSE names an address or a port of the host. An image says only which of its own ports it uses; where they lead is said when it runs.',
    bad: { dockerfile: 'FROM alpine\nEXPOSE 127.0.0.1:8080:80\n' },
    good: { dockerfile: 'FROM alpine\nEXPOSE 80\n' },
  },
} as const satisfies Record<string, LintRule>;

export type LintRuleName = keyof typeof lintRules;

export function isLintRule(name: string): name is LintRuleName {
  return Object.hasOwn(lintRules, name);
}
