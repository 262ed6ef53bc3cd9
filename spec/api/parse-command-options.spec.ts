import { describe, expect, it } from 'vitest';
import { parseAgent } from '../../src/api/parse-agent.js';
import { parseHost, parseLimit, parseSize } from '../../src/api/parse-command-options.js';
import { isLadingError } from '../../src/errors/errors.js';

function codeOf(work: () => unknown): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    return isLadingError(error) ? error.code : 'not ours';
  }
}

describe('--add-host', () => {
  it.each([
    ['db.test:10.0.0.7', 'db.test', '10.0.0.7'],
    ['db=10.0.0.7', 'db', '10.0.0.7'],
    ['DB:10.0.0.7', 'db', '10.0.0.7'],
    ['six:::1', 'six', '::1'],
    ['six:[::1]', 'six', '::1'],
    ['six=fe80::1', 'six', 'fe80::1'],
    ['me:host-gateway', 'me', '127.0.0.1'],
  ])('takes %s', (text, host, address) => {
    expect(parseHost(text)).toEqual({ host, address });
  });

  it.each(['', 'a', 'a:', ':10.0.0.1', 'a:b', 'a b:10.0.0.1', 'a\n10.0.0.1 b:10.0.0.2', 'a:1.2.3', 'a:fe80::1%eth0'])(
    'refuses %j',
    text => expect(codeOf(() => parseHost(text))).toBe('USAGE'),
  );
});

describe('--ulimit', () => {
  it.each([
    ['nofile=1024', 'nofile', 1024, 1024],
    ['nofile=1024:2048', 'nofile', 1024, 2048],
    ['core=0', 'core', 0, 0],
    ['memlock=-1', 'memlock', -1, -1],
    ['nproc=5:-1', 'nproc', 5, -1],
  ])('takes %s', (text, name, soft, hard) => {
    expect(parseLimit(text)).toEqual({ name, soft, hard });
  });

  it.each(['', 'nofile', 'nofile=', 'nofile=x', 'nofile=2:1', 'nofile=-1:5', 'files=1', 'nofile=1:2:3', 'nofile=-2'])(
    'refuses %j',
    text => expect(codeOf(() => parseLimit(text))).toBe('USAGE'),
  );
});

describe('--shm-size', () => {
  it('takes sizes', () => {
    expect(parseSize('64m', 'shm-size')).toBe(64 * 1024 * 1024);
    expect(parseSize('1024', 'shm-size')).toBe(1024);
    expect(codeOf(() => parseSize('much', 'shm-size'))).toBe('USAGE');
  });
});

describe('--ssh', () => {
  const env = { SSH_AUTH_SOCK: '/run/agent' };
  it.each([
    ['default', 'default', ['/run/agent']],
    ['other', 'other', ['/run/agent']],
    ['default=/run/x', 'default', ['/run/x']],
    ['keys=a,b', 'keys', ['a', 'b']],
  ])('takes %s', (text, id, paths) => {
    expect(parseAgent(text, env)).toEqual([id, { paths }]);
  });

  it.each(['', '=x', 'a=', 'a=b,'])('refuses %j', text => {
    expect(codeOf(() => parseAgent(text, env))).toBe('USAGE');
  });

  it('refuses an agent that is not there', () => {
    expect(codeOf(() => parseAgent('default', {}))).toBe('USAGE');
  });
});
