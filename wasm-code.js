/**
 * Imports that end in `?wasm` are a module of `wasm/` with all that it imports, compiled from AssemblyScript to
 * WebAssembly, as base64.
 */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { textImports } from './text-imports.js';

const top = dirname(fileURLToPath(import.meta.url));

/** @type {Map<string, Promise<string>>} */
const compilations = new Map();

/** @param {string} file */
function compiled(file) {
  const known = compilations.get(file) ?? fromCache(file);
  compilations.set(file, known);
  return known;
}

/** Compiling takes some seconds: what came of the same sources is kept. @param {string} file */
async function fromCache(file) {
  const key = createHash('sha256')
    .update(file)
    .update(await readFile(join(top, 'package-lock.json')));
  for (const path of [join(top, 'wasm-code.js'), ...(await sourcesBeside(file))]) key.update(await readFile(path));
  const folder = join(top, 'node_modules', '.cache', 'lading-wasm');
  const cached = join(folder, key.digest('hex'));
  try {
    return await readFile(cached, 'utf8');
  } catch {
    const text = Buffer.from(await compile(file)).toString('base64');
    await mkdir(folder, { recursive: true });
    await writeFile(`${cached}.${process.pid}`, text);
    await rename(`${cached}.${process.pid}`, cached);
    return text;
  }
}

/** @param {string} file */
async function sourcesBeside(file) {
  const names = await readdir(dirname(file));
  return names.sort().map(name => join(dirname(file), name));
}

/** @param {string} file @returns {Promise<Uint8Array>} */
async function compile(file) {
  // It is large: only who compiles loads it.
  const { default: asc } = await import('assemblyscript/asc');
  /** @type {Uint8Array | undefined} */
  let binary;
  const { error, stderr } = await asc.main(
    [
      ...[file, '--baseDir', '/', '-O3', '--outFile', 'out.wasm'],
      // Neither a garbage collector nor checks: the modules manage their memory themselves, and cannot leave it.
      ...['--runtime', 'stub', '--noAssert', '--use', 'abort='],
      // The memory is brought by whoever makes an instance: fresh, of whatever size, and shared by threads.
      ...['--importMemory', '--zeroFilledMemory', '--sharedMemory', '--enable', 'threads', '--maximumMemory', '65536'],
    ],
    {
      writeFile(name, contents) {
        if (name === 'out.wasm') binary = /** @type {Uint8Array} */ (contents);
      },
    },
  );
  if (error !== null || binary === undefined) throw new Error(`${file} cannot be compiled: ${error}\n${stderr}`);
  return binary;
}

/** `esbuild` for the build, `vite` for the tests. */
export const wasmCode = textImports({ query: 'wasm', make: compiled, sources: sourcesBeside });
