import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../support/run-cli.js';
import { tempDir } from '../support/temp-dir.js';

let cwd: string;

beforeAll(async () => {
  cwd = await tempDir();
  await mkdir(join(cwd, 'context'));
  await mkdir(join(cwd, 'sound'));
  await writeFile(join(cwd, 'sound', 'Dockerfile'), 'FROM scratch\nLABEL a=b\n');
});

/** Exit code and error code of what a command line says wrong; nothing goes to standard output. */
async function fault(...argv: string[]): Promise<{ exit: number; code: string | undefined; stderr: string }> {
  const { code, stdout, stderr } = await runCli(argv, { cwd });
  expect(stdout).toBe('');
  return { exit: code, code: /^error: .* \[([A-Z_]+)\]$/m.exec(stderr)?.[1], stderr };
}

describe('what is misused ends with 2', () => {
  it.each([
    ['unknown command', ['bild', '.']],
    ['unknown subcommand', ['system', 'du']],
    ['no subcommand', ['system']],
    ['unknown global option', ['--nope']],
    ['unknown option', ['build', '--nope', '.']],
    ['unknown letter', ['build', '-Z', '.']],
    ['unknown letter among known ones', ['build', '-qZ', '.']],
    ['global option without its value', ['--root']],
    ['option without its value', ['build', 'context', '-t']],
    ['long option without its value', ['pull', 'debian', '--platform']],
    ['value that is no choice', ['build', '--progress', 'fancy', 'context']],
    ['no context', ['build']],
    ['two contexts', ['build', 'a', 'b']],
    ['no source', ['copy']],
    ['no destination', ['copy', 'docker://a']],
    ['no image to pull', ['pull']],
    ['no image to push', ['push']],
    ['no image to tag', ['tag']],
    ['no name to tag with', ['tag', 'a']],
    ['no image to remove', ['rmi']],
    ['no image to inspect', ['inspect']],
    ['no image to tell of', ['history']],
    ['no image to save', ['save']],
    ['argument for load', ['load', 'file']],
    ['argument for system df', ['system', 'df', 'images']],
    ['argument for prune', ['prune', 'images']],
    ['argument for fsck', ['fsck', 'images']],
    ['argument for version', ['version', 'images']],
    ['bad name', ['build', '-t', 'BAD NAME', 'context']],
    ['bad platform', ['build', '--platform', 'a/b/c/d', 'sound']],
    ['bad output', ['build', '-o', 'type=foo', 'context']],
    ['label without a name', ['build', '--label', '=x', 'context']],
    ['build argument without a name', ['build', '--build-arg', '=x', 'context']],
    ['build context without a place', ['build', '--build-context', 'a', 'context']],
    ['compression level that is no number', ['build', '--compression-level', 'x', 'context']],
    ['compression level out of range', ['build', '--compression-level', '10', 'context']],
    ['no step at a time', ['build', '--jobs', '0', 'sound']],
    ['number of steps that is none', ['build', '--jobs', 'x', 'sound']],
    ['compression level of nothing', ['build', '--compression', 'none', '--compression-level', '1', 'context']],
    ['compression level of nothing in one word', ['build', '--compression', 'none:1', 'context']],
    ['compression level out of range in one word', ['build', '--compression', 'gzip:10', 'context']],
    ['compression level that is missing', ['build', '--compression', 'gzip:', 'context']],
    ['compression level behind a blank', ['build', '--compression', 'gzip: 9', 'context']],
    ['compression level given twice', ['build', '--compression', 'gzip:9', '--compression-level', '9', 'context']],
    ['compression that is not made', ['build', '--compression', 'estargz', 'context']],
    ['compression of no name', ['build', '--compression', '', 'context']],
    ['name with a digest', ['tag', 'a', `b@sha256:${'0'.repeat(64)}`]],
    ['two things at once', ['build', '--pull', '--offline', 'context']],
    ['cache size that is none', ['prune', '--keep-cache', 'much']],
    ['push without a name', ['build', '--push', 'sound']],
    ['agent that is not there', ['build', '--ssh', 'default', 'sound']],
    ['host without an address', ['build', '--add-host', 'db', 'sound']],
    ['limit of no name', ['build', '--ulimit', 'files=1', 'sound']],
    ['size of shared memory that is none', ['build', '--shm-size', 'much', 'sound']],
    ['network of no kind', ['build', '--network', 'bridge', 'sound']],
    ['Dockerfile and context from standard input', ['build', '-f', '-', '-']],
    ['two Dockerfiles', ['build', '-f', 'Dockerfile', '-']],
  ])('%s', async (_, argv) => {
    const { exit, code, stderr } = await fault(...argv);
    expect({ exit, code: code === 'INVALID_VALUE' ? 'USAGE' : code }, stderr).toEqual({ exit: 2, code: 'USAGE' });
  });

  it.each([
    [['build', '--squash', 'context']],
    [['build', '--memory', '1g', 'context']],
    [['build', '--memory=1g', 'context']],
    [['build', '--sbom=true', 'sound']],
    [['build', '--cache-from', 'x', 'context']],
    [['images', '--filter', 'dangling=true']],
    [['inspect', '--format', '{{.Id}}', 'x']],
    [['push', '--all-tags', 'x']],
    [['exec', 'box', 'sh']],
    [['container', 'ls']],
    [['buildx', 'build', '.']],
    [['system', 'prune']],
    [['builder', 'prune']],
    [['volume', 'ls']],
  ])('%j is of another tool, and the answer says what to do instead', async argv => {
    const { exit, code, stderr } = await fault(...argv);
    expect({ exit, code }).toEqual({ exit: 2, code: 'UNSUPPORTED' });
    expect(stderr).toMatch(/^hint: ./m);
  });

  it.each([
    [['bild'], 'lading build'],
    [['imgaes'], 'lading images'],
    [['build', '--taag', 'x', '.'], '--tag'],
    [['build', '--no-cahce', '.'], '--no-cache'],
    [['build', '--plat', 'x', '.'], '--platform'],
    [['--versoin'], '--version'],
    [['images', '--jsn'], '--json'],
  ])('%j is answered with what was meant', async (argv, meant) => {
    const { exit, stderr } = await fault(...argv);
    expect(exit).toBe(2);
    expect(stderr).toMatch(new RegExp(`^hint: .*${meant}`, 'm'));
  });
});

describe('what fails ends with 1', () => {
  it.each([
    ['missing context', ['build', 'nowhere'], 'IO'],
    ['missing Dockerfile', ['build', 'context'], 'IO'],
    ['missing Dockerfile by name', ['build', '-f', 'nowhere', 'context'], 'IO'],
    ['unknown image to tag', ['tag', 'unknown', 'other'], 'REFERENCE_NOT_FOUND'],
    ['unknown image to remove', ['rmi', 'unknown'], 'REFERENCE_NOT_FOUND'],
    ['unknown image to inspect', ['inspect', 'unknown'], 'REFERENCE_NOT_FOUND'],
    ['unknown digest to inspect', ['inspect', `sha256:${'0'.repeat(64)}`], 'REFERENCE_NOT_FOUND'],
    ['unknown image to tell of', ['history', 'unknown'], 'REFERENCE_NOT_FOUND'],
    ['unknown image to save', ['save', '-o', 'x.tar', 'unknown'], 'REFERENCE_NOT_FOUND'],
    ['unknown image to push', ['push', 'unknown:1'], 'REFERENCE_NOT_FOUND'],
    ['unknown image to copy', ['copy', 'store:unknown', 'oci:out'], 'REFERENCE_NOT_FOUND'],
    ['missing archive', ['load', '-i', 'nowhere.tar'], 'PATH_NOT_FOUND'],
    ['missing layout', ['inspect', 'oci:nowhere'], 'PATH_NOT_FOUND'],
    ['missing layout to copy', ['copy', 'oci:nowhere', 'oci:out'], 'PATH_NOT_FOUND'],
  ])('%s', async (_, argv, expected) => {
    const { exit, code, stderr } = await fault(...argv);
    expect({ exit, code }, stderr).toEqual({ exit: 1, code: expected });
  });

  it('removes what is there and minds nothing else with --force', async () => {
    expect(await runCli(['rmi', '--force', 'unknown'], { cwd })).toMatchObject({ code: 0, stdout: '', stderr: '' });
  });
});

describe('interruption', () => {
  it('ends with 130', async () => {
    const signal = AbortSignal.abort();
    expect(await runCli(['images'], { cwd, signal })).toMatchObject({ code: 130, stdout: '', stderr: 'interrupted\n' });
  });
});

describe('the program itself', () => {
  it('tells its version', async () => {
    const { stdout } = await runCli(['--version'], { cwd });
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\S*\n$/);
    const version = stdout.trim();
    const words = await runCli(['version'], { cwd });
    expect(words).toMatchObject({ code: 0, stdout: `lading ${version} (Node.js v20.0.0, linux/x64)\n` });
    const json = await runCli(['version', '--json'], { cwd });
    expect(JSON.parse(json.stdout)).toEqual({ version, node: 'v20.0.0', platform: 'linux/x64' });
  });

  it('shows stack traces with --debug only', async () => {
    const plain = await runCli(['inspect', 'unknown'], { cwd });
    expect(plain.stderr).not.toContain('    at ');
    const debug = await runCli(['inspect', 'unknown', '--debug'], { cwd });
    expect(debug.stderr).toContain('    at ');
  });

  it('takes global options before and after the command', async () => {
    const before = await runCli(['--root', 'elsewhere', 'images', '-q'], { cwd });
    const after = await runCli(['images', '-q', '--root=elsewhere'], { cwd });
    expect(before).toMatchObject({ code: 0, stdout: '' });
    expect(after).toMatchObject({ code: 0, stdout: '' });
  });
});
