import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { agentSocket } from '../../../src/build/run/agent-socket.js';
import { type PrivateFolder, privateFolder } from '../../../src/build/run/private-folder.js';

let folder: string;
let own: PrivateFolder;
let agent: Server;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lading-agent-'));
  own = await privateFolder(folder);
  agent = createServer(socket => socket.on('data', data => socket.end(`answer to ${data}`)));
  await new Promise<void>(resolve => agent.listen(join(folder, 'agent'), resolve));
});
afterEach(async () => {
  await own.remove();
  await new Promise(resolve => agent.close(resolve));
  rmSync(folder, { recursive: true, force: true });
});

function ask(path: string, question: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(path, () => socket.write(question));
    socket.on('data', data => {
      answer += data;
    });
    socket.on('close', () => resolve(answer));
    socket.on('error', reject);
  });
}

const permissions = { mode: 0o620, uid: process.getuid!(), gid: process.getgid!() };

it('hands questions to the agent and answers back', async () => {
  const socket = await agentSocket('a', join(folder, 'agent'), own, permissions);
  expect(statSync(socket.path).mode & 0o777).toBe(0o620);
  expect(await Promise.all([ask(socket.path, 'one'), ask(socket.path, 'two')])).toEqual([
    'answer to one',
    'answer to two',
  ]);
  await socket.close();
  await expect(ask(socket.path, 'three')).rejects.toThrow();
});

it('closes those who ask when the agent is gone', async () => {
  const socket = await agentSocket('a', join(folder, 'nobody'), own, permissions);
  await expect(ask(socket.path, 'one').then(answer => answer || Promise.reject(new Error('closed')))).rejects.toThrow();
  await socket.close();
});

it('ends with questions open', async () => {
  const socket = await agentSocket('a', join(folder, 'agent'), own, permissions);
  const waiting = connect(socket.path);
  await new Promise(resolve => waiting.once('connect', resolve));
  const closed = new Promise(resolve => waiting.once('close', resolve));
  await socket.close();
  await closed;
});
