/** Imports that end in `?worker-code` are a module with all that it imports, as the text of a script for a thread. */
import { build } from 'esbuild';
import { textImports } from './text-imports.js';
import { wasmCode } from './wasm-code.js';

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
    plugins: [wasmCode.esbuild],
    logLevel: 'warning',
  });
  return outputFiles[0].text;
}

/** `esbuild` for the build, `vite` for the tests. What threads are given to do may be compiled code. */
export const workerCode = textImports({
  query: 'worker-code',
  make: bundled,
  sources: async file => [file],
  inner: [wasmCode.esbuild],
});
