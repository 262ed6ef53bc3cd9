import { devNull } from 'node:os';

/** A header for the servers whose address begins with `scope`. */
export interface GitAuthorization {
  readonly scope: string;
  /** The whole value of `Authorization`. */
  readonly value: string;
}

export interface GitEnvironmentOptions {
  /** What the caller has. All but a few variables of it are left behind. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** An empty folder, which is the home of the process. */
  readonly home: string;
  /** Whether SSH may be used, and with it the keys of the user's agent. */
  readonly ssh: boolean;
  readonly authorizations: readonly GitAuthorization[];
}

/**
 * Variables that are passed on: where programs are, how the network is reached and whom it trusts. A `GIT_SSH_COMMAND`
 * is one that the user has chosen.
 */
const passedOn = [
  'PATH',
  ...['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'NO_PROXY'].flatMap(name => [name, name.toLowerCase()]),
  ...['SSL_CERT_FILE', 'SSL_CERT_DIR', 'GIT_SSL_CAINFO', 'GIT_SSL_CAPATH'],
] as const;
const passedOnForSsh = ['SSH_AUTH_SOCK', 'GIT_SSH_COMMAND'] as const;

/** No configuration of the user, nobody to ask, only hosts that are known. */
const ssh = [
  `ssh -F ${devNull}`,
  ...['BatchMode=yes', 'StrictHostKeyChecking=yes', 'ConnectTimeout=30', 'ServerAliveInterval=15'],
].join(' -o ');

/**
 * The configuration that all commands have: no hooks, no programs, no prompts, nothing that goes on after the command, and
 * nothing in what is written that depends on the machine.
 */
const settings: ReadonlyArray<readonly [string, string]> = [
  ['advice.detachedHead', 'false'],
  ['core.askPass', ''],
  ['core.attributesFile', devNull],
  ['core.autocrlf', 'false'],
  ['core.eol', 'lf'],
  ['core.excludesFile', devNull],
  ['core.fsmonitor', 'false'],
  ['core.hooksPath', devNull],
  ['core.logAllRefUpdates', 'false'],
  ['core.protectHFS', 'true'],
  ['core.protectNTFS', 'true'],
  ['core.untrackedCache', 'false'],
  ['credential.helper', ''],
  ['fetch.recurseSubmodules', 'false'],
  ['fetch.unpackLimit', '1'],
  ['gc.auto', '0'],
  ['http.lowSpeedLimit', '1'],
  ['http.lowSpeedTime', '60'],
  ['index.version', '2'],
  ['maintenance.auto', 'false'],
  ['submodule.recurse', 'false'],
];

/**
 * The environment that git runs in. It sees no configuration but the one given here, and secrets are in variables, where
 * other users of the machine cannot read them as they can read a command line.
 */
export function gitEnvironment(options: GitEnvironmentOptions): Record<string, string> {
  const { env, home, authorizations } = options;
  const names = options.ssh ? [...passedOn, ...passedOnForSsh] : passedOn;
  const given = names.flatMap(name => (env[name] === undefined ? [] : [[name, env[name]] as const]));
  // A server that knows who asks must not lead the question elsewhere: git would repeat it there with the answer in it.
  const scoped = authorizations.flatMap(({ scope, value }) => [
    [`http.${scope}.extraHeader`, `Authorization: ${value}`] as const,
    [`http.${scope}.followRedirects`, 'false'] as const,
  ]);
  return {
    GIT_SSH_COMMAND: ssh,
    ...Object.fromEntries(given),
    ...configuration([...settings, ...scoped]),
    GIT_ALLOW_PROTOCOL: ['https', 'http', 'git', ...(options.ssh ? ['ssh'] : [])].join(':'),
    GIT_ATTR_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: devNull,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    HOME: home,
    LC_ALL: 'C',
    TMPDIR: home,
    TZ: 'UTC',
  };
}

function configuration(entries: ReadonlyArray<readonly [string, string]>): Record<string, string> {
  const variables: Record<string, string> = { GIT_CONFIG_COUNT: String(entries.length) };
  for (const [place, [key, value]] of entries.entries()) {
    variables[`GIT_CONFIG_KEY_${place}`] = key;
    variables[`GIT_CONFIG_VALUE_${place}`] = value;
  }
  return variables;
}
