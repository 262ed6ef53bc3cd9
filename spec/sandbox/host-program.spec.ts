import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { embeddedPrograms, readElf } from '../../src/sandbox/elf.js';
import { describeHostProgram, findHostProgram } from '../../src/sandbox/host-program.js';
import { describeWith } from '../support/programs.js';

describeWith(['proot', 'perl', 'busybox'], 'programs of this machine', () => {
  it('are found along a path and in the folders of the system', async () => {
    expect(findHostProgram('perl', 'relative:/nowhere')).toMatch(/^\/.*\/perl$/);
    expect(findHostProgram('no-such-program', '/usr/bin')).toBeUndefined();
  });

  it('are described with what it takes to start them', async () => {
    const perl = await describeHostProgram(findHostProgram('perl', '')!);
    expect(perl.interpreter).toMatch(/^\//);
    expect(perl.libraries.map(({ name }) => name)).toContain('libc.so.6');
    const busybox = await describeHostProgram(findHostProgram('busybox', '')!);
    expect(busybox).toMatchObject({ libraries: [] });
    expect(busybox.interpreter).toBeUndefined();
  });

  it('hold their loader', async () => {
    const programs = embeddedPrograms(await readFile(findHostProgram('proot', '')!));
    expect(programs.map(({ bits }) => bits)).toContain(64);
    for (const { bits, bytes } of programs) expect(readElf(bytes)).toMatchObject({ bits });
  });

  it('are told from anything else', () => {
    expect(readElf(Buffer.from('#!/bin/sh\n'))).toBeUndefined();
    expect(readElf(Buffer.concat([Buffer.from('\x7fELF', 'latin1'), Buffer.alloc(200, 0xff)]))).toBeUndefined();
    expect(embeddedPrograms(Buffer.alloc(100))).toEqual([]);
  });
});
