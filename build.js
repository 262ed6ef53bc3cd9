/**
 * Makes `dist`: the program and the library as bundles, the types of the library as declarations.
 *
 * Bundles, because a command line is judged by how soon it answers: reading some hundred small modules takes longer than
 * most commands do. Packages are bundled too, for the same reason, but for xz-decompress: hardly anybody needs it, and a
 * CommonJS package that is imported when it is needed loses its names in a bundle.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { askForBuiltInModules } from './built-in-modules.js';
import { directImports } from './direct-imports.js';
import { sharedFiles, sharedFilesPlugin } from './shared-files.js';
import { workerCode } from './worker-code.js';

const top = dirname(fileURLToPath(import.meta.url));
mkdirSync(join(top, 'dist'), { recursive: true });
// Made aside and then moved, so that a program that is running, or a second build, meets no half of it.
const made = mkdtempSync(join(top, 'dist', '.build-'));
process.once('exit', () => rmSync(made, { recursive: true, force: true }));

// See src/cache/code-digest.ts: what the code is made of, packages included.
const code = createHash('sha256').update(readFileSync(join(top, 'package-lock.json')));
for (const folder of ['src', 'wasm']) {
  for (const file of readdirSync(join(top, folder), { recursive: true, encoding: 'utf8' }).sort()) {
    if (file.endsWith('.ts')) code.update(file).update(readFileSync(join(top, folder, file)));
  }
}

const settings = {
  absWorkingDir: top,
  entryPoints: ['cli/bin.ts', 'src/index.ts', 'src/testing/index.ts'],
  outdir: made,
  outbase: '.',
  chunkNames: 'src/chunks/[name]-[hash]',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  external: ['xz-decompress'],
  // See the file: it saves a third of the time that a command takes to start.
  alias: { 'string-width': join(top, 'cli/arguments/text-width.ts') },
  // Names in stack traces, and no more bytes than needed.
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'none',
  // The packages that are CommonJS ask for Node's modules with `require`, which modules do not have.
  banner: {
    js: "const require=name=>process.getBuiltinModule('node:module').createRequire(import.meta.url)(name);",
  },
  write: false,
  define: { ladingCodeDigest: JSON.stringify(code.digest('hex')) },
  plugins: [directImports(join(top, 'src/index.ts'), join(top, 'cli')), workerCode.esbuild],
  logLevel: 'warning',
  metafile: true,
};
// What is asked before anything else has a file without the common one.
const loadedFirst = {
  name: 'loaded-first',
  setup({ onResolve }) {
    onResolve({ filter: /^\.\/enter-early\.js$/ }, ({ path }) => ({ path, external: true }));
  },
};
// A first time to see what the commands need: any of them reads its arguments, and nearly all of them open the store.
const separate = await build({
  ...settings,
  plugins: [loadedFirst, ...settings.plugins],
  entryPoints: ['cli/bin.ts'],
});
const files = sharedFiles(separate.metafile, ['cli/main.ts', 'cli/store-session.ts'], 'cli/commands/build.ts');
const { metafile, ...bundles } = await build({
  ...settings,
  plugins: [loadedFirst, ...settings.plugins, sharedFilesPlugin(top, files)],
});
writeBundles({ metafile, ...bundles });
writeBundles(await build({ ...settings, entryPoints: ['cli/enter-early.ts'], splitting: false }));
writeFileSync(join(made, 'src/THIRD-PARTY-LICENSES.txt'), licenses(Object.keys(metafile.inputs)));
chmodSync(join(made, 'cli/bin.js'), 0o755);

const tsc = fileURLToPath(import.meta.resolve('typescript/package.json')).replace(/package\.json$/, 'bin/tsc');
let typesFailed = false;
try {
  execFileSync(process.execPath, [tsc, '-p', join(top, 'tsconfig.build.json'), '--outDir', made], { stdio: 'inherit' });
} catch {
  typesFailed = true;
}

for (const folder of ['src', 'cli']) {
  rmSync(join(top, 'dist', folder), { recursive: true, force: true });
  renameSync(join(made, folder), join(top, 'dist', folder));
}
if (typesFailed) process.exitCode = 1;

function writeBundles({ metafile, outputFiles }) {
  for (const { path, text } of outputFiles) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, askForBuiltInModules(text, metafile.outputs[relative(top, path)]));
  }
}

/** The licences of the packages that are in the bundles, which they ask to go with every copy. */
function licenses(inputs) {
  const folders = inputs.map(input => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0]).filter(Boolean);
  const sections = [...new Set(folders)].sort().map(folder => {
    const { name, version } = JSON.parse(readFileSync(join(top, folder, 'package.json'), 'utf8'));
    const file = readdirSync(join(top, folder)).find(entry => /^(?:licen[cs]e|copying)(?:\.|$)/i.test(entry));
    if (file === undefined) throw new Error(`${name} comes without a licence text`);
    return `${name} ${version}\n\n${readFileSync(join(top, folder, file), 'utf8').trim()}\n`;
  });
  return sections.join(`\n${'-'.repeat(100)}\n\n`);
}
