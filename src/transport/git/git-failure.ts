import { LadingError } from '../../errors/errors.js';
import { redactText } from '../../errors/redact.js';

/** What git says, in English, and what can be done about it. The first that fits is the one. */
const hints: ReadonlyArray<readonly [RegExp, string]> = [
  [/host key verification failed/i, 'The host is unknown: check its key, and add it to ~/.ssh/known_hosts.'],
  [
    /permission denied \(/i,
    'The agent that SSH_AUTH_SOCK names has no key that the server takes: add one with ssh-add.',
  ],
  [
    /could not read username|authentication failed|returned error: 40[13]|invalid credentials|access denied/i,
    'The server wants to know who asks: give a token as the secret GIT_AUTH_TOKEN, or GIT_AUTH_TOKEN.<host>.',
  ],
  [
    /returned error: 30\d|redirect/i,
    'The server leads elsewhere, where the secret must not go: name the address that it leads to.',
  ],
  [
    /transport '.*' not allowed|protocol .* is not supported/i,
    'Repositories are fetched over https, http, git and ssh.',
  ],
  [/could not resolve host|name or service not known|temporary failure in name/i, 'Check the address and the network.'],
  [
    /timed out|too slow|connection refused|could not connect/i,
    'Check the address, and try again when the server answers.',
  ],
  [/no space left/i, 'The disk is full: make room, or use --root for a store on another disk.'],
  [
    /not found|does not (?:appear to be|exist)|returned error: 404/i,
    'Check the address. Servers say the same of private repositories: give a token as the secret GIT_AUTH_TOKEN.',
  ],
];

/** What git says when it was ssh that has failed, and has said why in the line before. */
const sayNothing = /^fatal: could not read from remote repository/i;

/** A failure of git in words: the last line in which it complains. `repository` has no secrets. */
export function gitFailure(repository: string, messages: string, ref?: string): LadingError<'GIT_REPOSITORY'> {
  const lines = messages.split(/[\r\n]+/).filter(line => line.trim() !== '');
  const reason = lines[lines.findIndex(line => sayNothing.test(line)) - 1];
  const complaint = reason ?? lines.findLast(line => /^(?:fatal|error):/.test(line)) ?? lines.at(-1) ?? 'git failed';
  const hint = hints.find(([pattern]) => pattern.test(messages))?.[1];
  return repositoryError(repository, redactText(complaint.replace(/^(?:fatal|error): /, '')).slice(0, 500), {
    ref,
    hint,
  });
}

export function repositoryError(
  repository: string,
  problem: string,
  { ref, hint, cause }: { ref?: string | undefined; hint?: string | undefined; cause?: unknown } = {},
): LadingError<'GIT_REPOSITORY'> {
  const details = ref === undefined ? { repository } : { repository, ref };
  return new LadingError('GIT_REPOSITORY', `${repository}: ${problem}`, { details, hint, cause });
}
