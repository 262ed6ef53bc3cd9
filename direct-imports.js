/**
 * Commands import the public interface and nothing else. For the bundler, and only for it, such an import becomes imports of
 * the modules behind the names, so that a command loads what it uses: through `index.ts` it would load everything that the
 * interface names.
 */
import { readFileSync } from 'node:fs';
import { dirname, relative } from 'node:path';

/** @param {string} index the file of the interface, in which every name is spelled out @param {string} folder of the commands */
export function directImports(index, folder) {
  const modules = modulesByName(readFileSync(index, 'utf8'));
  return {
    name: 'direct-imports',
    setup({ onLoad }) {
      onLoad({ filter: /\.ts$/, namespace: 'file' }, ({ path }) => {
        if (relative(folder, path).startsWith('..')) return undefined;
        const contents = readFileSync(path, 'utf8').replace(
          /import \{([^}]*)\} from '([^']*\/src\/index\.js)';/g,
          (_, names, from) =>
            named(names)
              .map(name => directImport(name, from))
              .join(''),
        );
        return { contents, loader: 'ts' };
      });
    },
  };

  function directImport(name, from) {
    const module = modules.get(name);
    if (module === undefined) throw new Error(`${name} is not exported by ${relative('.', index)}`);
    const path = `${dirname(from)}/${module}`;
    return `import { ${name} } from '${path}';`;
  }
}

function modulesByName(text) {
  const exports = text.matchAll(/export \{([^}]*)\} from '\.\/([^']*)';/g);
  return new Map([...exports].flatMap(([, names, module]) => named(names).map(name => [name, module])));
}

/** The values among the names of an import or export. */
function named(names) {
  return names
    .split(',')
    .map(name => name.trim())
    .filter(name => name !== '' && !name.startsWith('type '));
}
