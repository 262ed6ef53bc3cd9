import { describe, expect, it } from 'vitest';
import { gitEnvironment } from '../../../src/transport/git/git-environment.js';

const user = {
  PATH: '/bin',
  HOME: '/home/me',
  https_proxy: 'http://proxy',
  SSH_AUTH_SOCK: '/agent',
  GIT_SSH_COMMAND: 'ssh -v',
  GIT_DIR: '/elsewhere',
  GIT_CONFIG_GLOBAL: '/home/me/.gitconfig',
  GIT_CONFIG_COUNT: '1',
  GIT_CONFIG_KEY_0: 'core.fsmonitor',
  GIT_CONFIG_VALUE_0: 'evil',
  GIT_CONFIG_PARAMETERS: "'core.fsmonitor=evil'",
  GIT_EXEC_PATH: '/evil',
  GIT_ALLOW_PROTOCOL: 'ext',
  GIT_ASKPASS: '/evil',
  LD_PRELOAD: '/evil.so',
  LC_ALL: 'de_DE.UTF-8',
  SECRET: 'x',
};

/** The configuration that an environment carries. */
function configured(env: Readonly<Record<string, string>>): Map<string, string> {
  const places = Array.from({ length: Number(env['GIT_CONFIG_COUNT']) }, (_, place) => place);
  return new Map(places.map(place => [env[`GIT_CONFIG_KEY_${place}`]!, env[`GIT_CONFIG_VALUE_${place}`]!]));
}

describe('gitEnvironment', () => {
  it('takes over what the network needs, and nothing that could change what git does', () => {
    const env = gitEnvironment({ env: user, home: '/tmp/home', ssh: false, authorizations: [] });
    expect(env).toMatchObject({ PATH: '/bin', https_proxy: 'http://proxy', HOME: '/tmp/home', LC_ALL: 'C' });
    expect(env).toMatchObject({ GIT_ALLOW_PROTOCOL: 'https:http:git', GIT_CONFIG_GLOBAL: '/dev/null' });
    for (const name of ['GIT_DIR', 'GIT_EXEC_PATH', 'GIT_CONFIG_PARAMETERS', 'GIT_ASKPASS', 'LD_PRELOAD', 'SECRET']) {
      expect(env).not.toHaveProperty(name);
    }
    expect(env).not.toHaveProperty('SSH_AUTH_SOCK');
    expect(env['GIT_SSH_COMMAND']).not.toBe('ssh -v');
    expect(JSON.stringify(env)).not.toContain('evil');
    expect(configured(env).get('core.fsmonitor')).toBe('false');
  });

  it('has the agent, and the SSH that the user has chosen, for SSH alone', () => {
    const env = gitEnvironment({ env: user, home: '/tmp/home', ssh: true, authorizations: [] });
    expect(env).toMatchObject({ SSH_AUTH_SOCK: '/agent', GIT_SSH_COMMAND: 'ssh -v' });
    expect(env['GIT_ALLOW_PROTOCOL']).toBe('https:http:git:ssh');
    const { GIT_SSH_COMMAND: _, ...others } = user;
    const usual = gitEnvironment({ env: others, home: '/tmp/home', ssh: true, authorizations: [] });
    expect(usual['GIT_SSH_COMMAND']).toContain('StrictHostKeyChecking=yes');
    expect(usual['GIT_SSH_COMMAND']).toContain('BatchMode=yes');
  });

  it('binds what tells who asks to its address, and to no redirect', () => {
    const authorizations = [{ scope: 'https://example.org/x.git', value: 'Basic abc' }];
    const config = configured(gitEnvironment({ env: {}, home: '/tmp/home', ssh: false, authorizations }));
    expect(config.get('http.https://example.org/x.git.extraHeader')).toBe('Authorization: Basic abc');
    expect(config.get('http.https://example.org/x.git.followRedirects')).toBe('false');
    expect([...config.values()].filter(value => value.includes('abc'))).toHaveLength(1);
  });
});
