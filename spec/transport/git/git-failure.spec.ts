import { describe, expect, it } from 'vitest';
import { gitFailure } from '../../../src/transport/git/git-failure.js';

describe('a failure of git', () => {
  it.each([
    ['fatal: repository not found\n', 'repository not found', 'GIT_AUTH_TOKEN'],
    ['remote: Enumerating\nerror: one\nfatal: two\n', 'two', undefined],
    [
      'ssh: Could not resolve hostname h: Name or service not known\nfatal: Could not read from remote repository.\n\nPlease make sure\n',
      'ssh: Could not resolve hostname h: Name or service not known',
      'the network',
    ],
    [
      'git@h: Permission denied (publickey).\r\nfatal: Could not read from remote repository.\n',
      'git@h: Permission denied (publickey).',
      'ssh-add',
    ],
    ['fatal: Could not read from remote repository.\n', 'Could not read from remote repository.', undefined],
    ['', 'git failed', undefined],
  ])('%j', (messages, problem, hint) => {
    const error = gitFailure('git@h:r', messages);
    expect(error.message).toBe(`git@h:r: ${problem}`);
    if (hint === undefined) expect(error.hint).toBeUndefined();
    else expect(error.hint).toContain(hint);
  });
});
