import { lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { copyTree } from '../../src/sandbox/copy-tree.js';
import { exchanging } from '../support/exchanging.js';
import { describeWith, findProgram, runProgram } from '../support/programs.js';
import { tempDir } from '../support/temp-dir.js';

const perl = (): string => findProgram('perl')!;

/** A line for everything that `cp -a` keeps. */
async function everything(folder: string): Promise<string> {
  const found = await runProgram('find', ['.', '-printf', '%P\t%y\t%m\t%U:%G\t%s\t%T@\t%n\t%l\t%D\n'], { cwd: folder });
  const files = await runProgram('sh', ['-c', 'find . -type f -exec sha256sum {} + | sort'], { cwd: folder });
  const attributes = await runProgram('getfattr', ['-R', '-h', '-d', '-m', '-', '-e', 'hex', '.'], { cwd: folder });
  // The device that a folder lies on, and the sizes of folders, are no matter of its content.
  const lines = found.stdout
    .split('\n')
    .map(line => line.replace(/\t\d+$/, '').replace(/(\td\t\d+\t[\d:]+\t)\d+/, '$1'));
  return [...lines.sort(), files.stdout, attributes.stdout].join('\n');
}

describeWith(['root', 'perl', 'getfattr', 'setfattr', 'mkfifo'], 'copyTree', () => {
  it('copies what cp -a copies', async () => {
    const folder = await tempDir();
    const script = `mkdir -p from/d/deep from/closed; cd from; echo a >d/f; ln d/f linked; ln -s ../nowhere d/s; ln -s /etc abs
      chown 5:6 d/f; chown -h 7:8 d/s; chmod 4751 d/f; chmod 1777 d; mkfifo -m 604 pipe; mknod node c 1 3; chmod 0 closed
      head -c 3000000 /dev/urandom >big; : >empty; printf x >"$(printf 'raw\\377\\nname')"
      setfattr -n user.note -v word d; setfattr -n security.capability -v 0x0100000200040000000000000000000000000000 big
      touch -d '2001-02-03 04:05:06.123456789' d/f big; touch -h -d '2002-02-03 04:05:06.987654321' d/s; touch -d @0 d .`;
    await runProgram('sh', ['-c', script], { cwd: folder });
    await copyTree(join(folder, 'from'), join(folder, 'to'), perl());
    await runProgram('cp', ['-a', 'from', 'reference'], { cwd: folder });
    expect(await everything(join(folder, 'to'))).toBe(await everything(join(folder, 'reference')));
  });

  it('copies a file', async () => {
    const folder = await tempDir();
    writeFileSync(join(folder, 'from'), 'x', { mode: 0o640 });
    await copyTree(join(folder, 'from'), join(folder, 'to'), perl());
    expect([readFileSync(join(folder, 'to'), 'utf8'), lstatSync(join(folder, 'to')).mode & 0o777]).toEqual([
      'x',
      0o640,
    ]);
  });

  it('says what cannot be copied', async () => {
    const folder = await tempDir();
    await expect(copyTree(join(folder, 'none'), join(folder, 'to'), perl())).rejects.toMatchObject({ code: 'IO' });
  });

  it('does not follow links that are put in the place of folders and files meanwhile, as cp -a does', async () => {
    const folder = await tempDir();
    const [from, outside] = [join(folder, 'from'), join(folder, 'outside')];
    for (const path of [join(from, 'x/sub'), join(outside, 'sub')]) mkdirSync(path, { recursive: true });
    for (const path of [join(from, 'x/sub/f'), join(from, 'x/f')]) writeFileSync(path, 'inside');
    for (const path of [join(outside, 'sub/f'), join(outside, 'f')]) writeFileSync(path, 'outside');
    symlinkSync(outside, join(from, 'y'));
    const attacker = await exchanging(join(from, 'x'), join(from, 'y'));
    onTestFinished(() => attacker.stop());
    const leaked = async (copy: (to: string) => Promise<unknown>, attempts: number): Promise<boolean> => {
      for (let attempt = 0; attempt < attempts; attempt++) {
        const to = join(folder, `to-${readdirSync(folder).length}`);
        await copy(to);
        const { stdout } = await runProgram('sh', ['-c', 'find "$0" -type f -exec cat {} +', to]);
        if (stdout.includes('outside')) return true;
      }
      return false;
    };
    expect(await leaked(to => runProgram('cp', ['-a', '-T', from, to], { mayFail: true }), 400)).toBe(true);
    expect(await leaked(to => copyTree(from, to, perl()), 100)).toBe(false);
  });
});
