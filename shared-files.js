/**
 * Which modules the program reads as one file. The bundler makes a file of each set of modules that the same commands need,
 * which are sixty small ones for a build, and each takes Node as long as the text of a large one. So what most commands
 * need lies in one file together, what builds need besides in a second one, and with them what is too small for a file of
 * its own.
 */
import { relative, resolve } from 'node:path';

/** In bytes: about what Node reads and compiles while it finds and links one more file. */
const worthAFile = 8_000;

/**
 * Chooses the modules, by what a bundle without such files says.
 * @param {import('esbuild').Metafile} metafile
 * @param {readonly string[]} everywhere modules that most commands need, with all that they import
 * @param {string} builder the same for builds
 * @returns {{ readonly name: string, readonly modules: readonly string[], readonly users: ReadonlySet<string> }[]} files, and
 * which of the modules that are loaded when they are needed need them
 */
export function sharedFiles({ inputs, outputs }, everywhere, builder) {
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
  const part = new Set(others(needs(builder)).filter(module => !entries.has(module)));
  const isBuilder = entry => 3 * size([...needs(entry)].filter(module => part.has(module))) > size(part);
  const builders = new Set([...entries].filter(isBuilder));
  const elsewhere = new Set([...entries].flatMap(entry => (builders.has(entry) ? [] : [...needs(entry)])));
  const building = new Set([...part].filter(module => !elsewhere.has(module)));
  for (let before = -1; before !== common.size + building.size; ) {
    before = common.size + building.size;
    const users = new Map();
    for (const entry of entries) {
      for (const module of others(needs(entry))) {
        if (!building.has(module)) users.set(module, [...(users.get(module) ?? []), entry]);
      }
    }
    const files = new Map();
    for (const [module, entries] of users) {
      const key = entries.join(' ');
      files.set(key, { entries, modules: [...(files.get(key)?.modules ?? []), module] });
    }
    for (const { entries, modules } of files.values()) {
      if (entries.length === 1) continue;
      const file = entries.every(entry => builders.has(entry)) ? building : common;
      const all = others(modules.flatMap(module => [...needs(module)]));
      if (size(new Set(all)) < worthAFile) for (const module of all) file.add(module);
    }
  }
  const ours = modules => modules.filter(module => /^(?:cli|src)\/.*\.ts$/.test(module) && !entries.has(module));
  return [
    { name: 'common-file', modules: ours([...common]), users: entries },
    { name: 'build-file', modules: ours(others(building)), users: builders },
  ];
}

/** For esbuild: whatever is loaded when it is needed finds the files loaded, so no file is made for less of them. */
export function sharedFilesPlugin(top, files) {
  const text = modules => modules.map(module => `import ${JSON.stringify(resolve(top, module))};\n`).join('');
  const contents = new Map(files.map(({ name, modules }) => [name, text(modules)]));
  const before = module => files.filter(({ users }) => users.has(module)).map(({ name }) => `import '${name}';\n`);
  return {
    name: 'shared-files',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^\./ }, ({ kind, path, resolveDir }) =>
        kind === 'dynamic-import'
          ? { path: resolve(resolveDir, path).replace(/\.js$/, '.ts'), namespace: 'loaded-later' }
          : undefined,
      );
      onLoad({ filter: /.*/, namespace: 'loaded-later' }, ({ path }) => ({
        contents: `${before(relative(top, path)).join('')}export * from ${JSON.stringify(path)};\n`,
        resolveDir: top,
      }));
      onResolve({ filter: /^[\w-]+-file$/ }, ({ path }) =>
        contents.has(path) ? { path, namespace: 'shared-file' } : undefined,
      );
      onLoad({ filter: /.*/, namespace: 'shared-file' }, ({ path }) => ({
        contents: contents.get(path),
        resolveDir: top,
      }));
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
