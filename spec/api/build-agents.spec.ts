import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type BuildAgent, buildAgents, type OpenedAgents } from '../../src/api/build-agents.js';
import { describeWith } from '../support/programs.js';

let folder: string;
let opened: OpenedAgents[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lading-agents-'));
  opened = [];
});
afterEach(async () => {
  for (const agents of opened) await agents.close();
  rmSync(folder, { recursive: true, force: true });
});

function agents(
  given: Record<string, BuildAgent>,
  env: Record<string, string | undefined> = process.env,
): OpenedAgents {
  const made = buildAgents(given, { directory: folder, env, temporary: async () => folder });
  opened.push(made);
  return made;
}

describe('the agents of a build', () => {
  it('are the sockets that are given', async () => {
    const path = join(folder, 'agent.sock');
    const server: Server = createServer();
    await new Promise<void>(resolve => server.listen(path, resolve));
    expect(await agents({ default: { paths: ['agent.sock'] } }).socket('default')).toBe(path);
    await expect(agents({ a: { paths: ['agent.sock', 'agent.sock'] } }).socket('a')).rejects.toMatchObject({
      code: 'USAGE',
    });
    await new Promise(resolve => server.close(resolve));
  });

  it('are none that are not given', async () => {
    expect(await agents({}).socket('default')).toBeUndefined();
    expect(await agents({}).socket('constructor')).toBeUndefined();
  });

  it('are an error when they are not there', async () => {
    await expect(agents({ a: { paths: ['gone'] } }).socket('a')).rejects.toMatchObject({ code: 'IO' });
  });

  it('say what is missing for keys', async () => {
    writeFileSync(join(folder, 'key'), 'x');
    await expect(agents({ a: { paths: ['key'] } }, { PATH: folder }).socket('a')).rejects.toMatchObject({
      code: 'PROGRAM_MISSING',
      details: { program: 'ssh-agent' },
    });
  });
});

describeWith(['ssh-agent', 'ssh-add', 'ssh-keygen'], 'an agent for keys', () => {
  const makeKey = (name: string, passphrase = ''): void => {
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', passphrase, '-f', join(folder, name)]);
  };
  const list = (socket: string) =>
    spawnSync('ssh-add', ['-l'], { env: { ...process.env, SSH_AUTH_SOCK: socket }, encoding: 'utf8' });

  it('holds them as long as the build', async () => {
    for (const name of ['one', 'two']) makeKey(name);
    const made = agents({ default: { paths: ['one', 'two'] } });
    const socket = (await made.socket('default'))!;
    expect(list(socket).stdout.match(/ED25519/g)).toHaveLength(2);
    expect(await made.socket('default')).toBe(socket);
    await made.close();
    expect(list(socket).status).toBe(2);
  });

  it('takes no key behind a passphrase, and asks nobody', async () => {
    makeKey('locked', 'secret phrase');
    await expect(agents({ a: { paths: ['locked'] } }).socket('a')).rejects.toMatchObject({ code: 'CREDENTIALS' });
  });

  it('takes no key whose name looks like an option', async () => {
    await expect(agents({ a: { paths: [join(folder, '-D')] } }).socket('a')).rejects.toMatchObject({ code: 'IO' });
  });
});
