import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { writeFiles } from '../support/building.js';
import { GitRepository, type GitServer, gitServer } from '../support/git-server.js';
import { describeWith } from '../support/programs.js';
import { cli, runCli } from '../support/run-cli.js';
import { tempDir } from '../support/temp-dir.js';

const env = { PATH: process.env['PATH'] };
let cwd: string;
let server: GitServer;
let remote: string;

beforeEach(async () => {
  cwd = await tempDir();
  server = await gitServer(join(cwd, 'served'));
  remote = `${server.url}/name/.git`;
  const repository = new GitRepository(join(cwd, 'served/name'));
  repository.commit({ Dockerfile: 'FROM scratch\nCOPY . /\n', 'sub/Dockerfile': 'FROM scratch AS sub\nCMD run\n' });
  repository.git('tag', 'v1');
});
afterEach(() => server.close());

describeWith(['git'], 'build from Git', () => {
  it('takes a repository for its context', async () => {
    await cli(['build', '-o', 'out', `${remote}#v1`], { cwd, env });
    expect((await readdir(join(cwd, 'out'))).sort()).toEqual(['Dockerfile', 'sub']);
    const { code, stderr } = await runCli(['build', `${remote}#v2`], { cwd, env });
    expect(code).toBe(1);
    expect(stderr).toContain('[GIT_REPOSITORY]');
    expect(stderr).toMatch(/^hint: ./m);
  });

  it('takes the Dockerfile that -f names, in the repository, here, or on standard input', async () => {
    expect(await cli(['build', '--call', 'targets', '-f', 'sub/Dockerfile', remote], { cwd, env })).toContain('sub');
    await writeFile(join(cwd, 'local'), 'FROM scratch AS local\n');
    expect(await cli(['build', '--call', 'targets', '-f', join(cwd, 'local'), remote], { cwd, env })).toContain(
      'local',
    );
    const stdin = 'FROM scratch\nCOPY sub /\n';
    await cli(['build', '-f', '-', '-o', 'out', remote], { cwd, env, stdin });
    expect(await readdir(join(cwd, 'out'))).toEqual(['Dockerfile']);
  });

  it('looks at the Dockerfile of a repository', async () => {
    const { code, stdout } = await runCli(['build', '--check', `${remote}#v1:sub`], { cwd, env });
    expect(code).toBe(1);
    expect(stdout).toContain('JSONArgsRecommended');
  });

  it('takes named contexts and ADD from repositories, with a secret where one is asked for', async () => {
    const wanted = `basic ${btoa('x-access-token:hunter2')}`;
    const guarded = await gitServer(join(cwd, 'served'), {
      before: ({ headers }, response) => {
        if (headers.authorization === wanted) return false;
        response.writeHead(401, { 'www-authenticate': 'Basic' }).end();
        return true;
      },
    });
    try {
      const address = `${guarded.url}/name/.git`;
      writeFiles(cwd, { 'app/Dockerfile': `FROM scratch\nADD ${address}#v1:sub /a/\nCOPY --from=src sub /b/\n` });
      const args = ['build', '--build-context', `src=${address}`, '-o', 'out', 'app'];
      const token = ['--secret', 'id=GIT_AUTH_TOKEN,env=TOKEN'];
      await cli([...args, ...token], { cwd, env: { ...env, TOKEN: 'hunter2' } });
      expect((await readdir(join(cwd, 'out'), { recursive: true })).sort()).toEqual([
        ...['a', 'a/Dockerfile', 'b', 'b/Dockerfile'],
      ]);
      const check = await runCli(['build', '--check', address, ...token], { cwd, env: { ...env, TOKEN: 'hunter2' } });
      expect(check.stdout).toContain('no warnings');
      const { code, stderr } = await runCli(args, { cwd, env });
      expect(code).toBe(1);
      expect(stderr).toContain('GIT_AUTH_TOKEN');
    } finally {
      await guarded.close();
    }
  });

  it('goes for a folder before a repository of its name', async () => {
    writeFiles(cwd, { 'github.com/owner/name/Dockerfile': 'FROM scratch AS here\n' });
    const there = await runCli(['build', '--offline', 'github.com/owner/other'], { cwd, env });
    expect(there.stderr).toContain('https://github.com/owner/other: this build asks no server');
    expect(await cli(['build', '--call', 'targets', 'github.com/owner/name'], { cwd, env })).toContain('here');
    const ssh = await runCli(['build', '--offline', 'git@example.org:owner/name'], { cwd, env });
    expect(ssh.stderr).toContain('[GIT_REPOSITORY]');
  });
});
