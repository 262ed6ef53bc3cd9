/**
 * Which modules the program reads as one file. The bundler makes a file of each set of modules that the same commands need,
 * which are sixty small ones for a build, and each takes Node as long as the text of a large one. So what most commands
 * need lies in one file together, and with it what is too small for a file of its own.
 */
import { resolve } from 'node:path';

/** In bytes: about what Node reads and compiles while it finds and links one more file. */
const worthAFile = 8_000;

/**
 * Chooses the modules, by what a bundle without the common file says.
 * @param {import('esbuild').Metafile} metafile @param {readonly string[]} everywhere modules with which all that they import
 * is common @returns {ReadonlySet<string>}
 */
export function commonModules({ inputs, outputs }, everywhere) {
  const bytes = new Map();
  for (const output of Object.values(outputs)) {
    for (const [module, { bytesInOutput }] of Object.entries(output.inputs)) bytes.set(module, bytesInOutput);
  }
  const imports = (module, kind) =>
    inputs[module].imports.filter(each => each.kind === kind && !each.external).map(({ path }) => path);
  const needs = memoized(module => {
    const all = new Set([module]);
    for (const each of all) for (const path of imports(each, 'import-statement')) if (bytes.has(path)) all.add(path);
    return all;
  });
  const size = modules => [...modules].reduce((sum, module) => sum + bytes.get(module), 0);
  const entries = new Set(Object.keys(inputs).flatMap(module => imports(module, 'dynamic-import')));
  const common = new Set(everywhere.flatMap(module => [...needs(module)]));
  const others = modules => [...modules].filter(module => !common.has(module));
  for (let before = -1; before !== common.size; ) {
    before = common.size;
    const users = new Map();
    for (const entry of entries) {
      for (const module of others(needs(entry))) users.set(module, `${users.get(module) ?? ''} ${entry}`);
    }
    const files = new Map();
    for (const [module, entries] of users) files.set(entries, [...(files.get(entries) ?? []), module]);
    for (const [entries, modules] of files) {
      if (entries.lastIndexOf(' ') === 0) continue;
      const all = new Set(others(modules.flatMap(module => [...needs(module)])));
      if (size(all) < worthAFile) for (const module of all) common.add(module);
    }
  }
  return new Set([...common].filter(module => /^(?:cli|src)\/.*\.ts$/.test(module) && !entries.has(module)));
}

/** For esbuild: whatever is loaded when it is needed finds the common file loaded, so no file is made for less of it. */
export function commonFile(top, modules) {
  const text = [...modules].map(module => `import ${JSON.stringify(resolve(top, module))};\n`).join('');
  return {
    name: 'common-file',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^\./ }, ({ kind, path, resolveDir }) =>
        kind === 'dynamic-import'
          ? { path: resolve(resolveDir, path).replace(/\.js$/, '.ts'), namespace: 'loaded-later' }
          : undefined,
      );
      onLoad({ filter: /.*/, namespace: 'loaded-later' }, ({ path }) => ({
        contents: `import 'common-file';\nexport * from ${JSON.stringify(path)};\n`,
        resolveDir: top,
      }));
      onResolve({ filter: /^common-file$/ }, () => ({ path: 'common-file', namespace: 'common-file' }));
      onLoad({ filter: /.*/, namespace: 'common-file' }, () => ({ contents: text, resolveDir: top }));
    },
  };
}

function memoized(make) {
  const made = new Map();
  return key => {
    if (!made.has(key)) made.set(key, make(key));
    return made.get(key);
  };
}
