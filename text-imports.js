/**
 * Imports that end in a query, such as `./x.js?worker-code`, and are a text made of the module before it. So what is made is
 * part of the code that uses it, wherever that is bundled to, and needs no file of its own.
 */
import { dirname, resolve } from 'node:path';

/**
 * @param {object} kind
 * @param {string} kind.query what such imports end in, without the question mark
 * @param {(file: string) => Promise<string>} kind.make the text, of a file in TypeScript
 * @param {(file: string) => Promise<string[]>} kind.sources files that it is to be made anew for when they change
 * @param {import('esbuild').Plugin[]} [kind.inner] what such modules need themselves, wherever this is used
 * @returns {{ esbuild: import('esbuild').Plugin, vite: object }} the plugin for each; that of vite is vitest's, too
 */
export function textImports({ query, make, sources, inner = [] }) {
  const suffix = `?${query}`;
  /** @param {string} importer @param {string} path */
  const source = (importer, path) => resolve(dirname(importer), path.slice(0, -suffix.length).replace(/\.js$/, '.ts'));
  return {
    esbuild: {
      name: query,
      setup(builder) {
        for (const plugin of inner) plugin.setup(builder);
        builder.onResolve({ filter: new RegExp(`\\?${query}$`) }, ({ importer, path }) => ({
          path: source(importer, path),
          namespace: query,
        }));
        builder.onLoad({ filter: /.*/, namespace: query }, async ({ path }) => ({
          contents: await make(path),
          loader: 'text',
          watchFiles: await sources(path),
        }));
      },
    },
    vite: {
      name: query,
      enforce: 'pre',
      resolveId(path, importer) {
        return path.endsWith(suffix) ? `\0${source(importer, path)}${suffix}` : undefined;
      },
      async load(id) {
        if (!id.startsWith('\0') || !id.endsWith(suffix)) return undefined;
        const file = id.slice(1, -suffix.length);
        for (const path of await sources(file)) this.addWatchFile?.(path);
        return `export default ${JSON.stringify(await make(file))}`;
      },
    },
  };
}
