/**
 * Imports that end in `?worker-code` are a module with all that it imports, as the text of a script. So the code of a
 * thread is part of the code that starts it, wherever that is bundled to, and needs no file of its own.
 */
import { dirname, resolve } from 'node:path';
import { build } from 'esbuild';
import { wasmCode } from './wasm-code.js';

const suffix = '?worker-code';

/** @param {string} importer @param {string} path */
function source(importer, path) {
  return resolve(dirname(importer), path.slice(0, -suffix.length).replace(/\.js$/, '.ts'));
}

/** @param {string} file */
async function bundled(file) {
  const { outputFiles } = await build({
    entryPoints: [file],
    bundle: true,
    write: false,
    minify: true,
    format: 'cjs',
    platform: 'node',
    target: 'node20',
    plugins: [wasmCode],
    logLevel: 'warning',
  });
  return outputFiles[0].text;
}

/** For esbuild. */
export const workerCode = {
  name: 'worker-code',
  /** @param {import('esbuild').PluginBuild} builder */
  setup(builder) {
    // What threads are given to do may be compiled code.
    wasmCode.setup(builder);
    const { onResolve, onLoad } = builder;
    onResolve({ filter: /\?worker-code$/ }, ({ importer, path }) => ({
      path: source(importer, path),
      namespace: 'worker-code',
    }));
    onLoad({ filter: /.*/, namespace: 'worker-code' }, async ({ path }) => ({
      contents: await bundled(path),
      loader: 'text',
      watchFiles: [path],
    }));
  },
};

/** For vite, and so for vitest. */
export const viteWorkerCode = {
  name: 'worker-code',
  enforce: 'pre',
  resolveId(path, importer) {
    return path.endsWith(suffix) ? `\0${source(importer, path)}${suffix}` : undefined;
  },
  async load(id) {
    if (!id.startsWith('\0') || !id.endsWith(suffix)) return undefined;
    const file = id.slice(1, -suffix.length);
    this.addWatchFile?.(file);
    return `export default ${JSON.stringify(await bundled(file))}`;
  },
};
