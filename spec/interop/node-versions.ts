import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { runProgram } from '../support/programs.js';

/** The oldest that is supported, the first with zstd, and newer ones of each long-lived line; the tests run on another. */
export const nodeVersions = ['20.19.0', '22.15.0', '22.23.3', '24.21.0', '26.10.0'] as const;

export interface NodeVersion {
  readonly version: string;
  readonly program: string;
  readonly zstd: string | undefined;
}

/** Fetches versions of Node from npm, where each of them is a package for each platform. */
export async function installNodes(folder: string): Promise<NodeVersion[]> {
  const of = (version: string): string => `node-${version}`;
  await mkdir(folder, { recursive: true });
  const quiet = ['--ignore-scripts', '--no-save', '--no-audit', '--no-fund', '--prefer-offline', '--prefix', folder];
  const packages = nodeVersions.map(
    version => `${of(version)}@npm:node-${process.platform}-${process.arch}@${version}`,
  );
  await runProgram('npm', ['install', ...quiet, ...packages], { cwd: folder, timeout: 420 });
  return await Promise.all(
    nodeVersions.map(async version => {
      const program = join(folder, 'node_modules', of(version), 'bin/node');
      if (!existsSync(program)) throw new Error(`the package of Node ${version} has no ${program}`);
      const { stdout } = await runProgram(program, ['-p', 'JSON.stringify(process.versions)']);
      const { node, zstd } = JSON.parse(stdout);
      if (node !== version) throw new Error(`the package of Node ${version} holds ${node}`);
      return { version, program, zstd };
    }),
  );
}
