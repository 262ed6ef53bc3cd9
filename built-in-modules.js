/**
 * Node's own modules are asked for, not imported: an import makes a module of names around each of them, for which every
 * name is read (those of `node:process` open the standard streams). It is a twentieth of what a small command takes.
 */
const statement = /import\s*(\{[^}]*\}|\*\s*as\s+[\w$]+|[\w$]+)\s*from\s*"(node:[\w/]+)";/g;

/**
 * The text of a bundle, without imports of Node's modules.
 * @param {string} text
 * @param {import('esbuild').Metafile['outputs'][string]} output what the bundler says of it
 */
export function askForBuiltInModules(text, { imports }) {
  let left = imports.filter(({ kind, path }) => kind === 'import-statement' && path.startsWith('node:')).length;
  const asking = text.replace(statement, (_, names, module) => {
    left -= 1;
    const constants = names.replace(/^\*\s*as\s+/, '').replace(/\s+as\s+/g, ':');
    return `const ${constants}=process.getBuiltinModule("${module}");`;
  });
  // A text in the code may look like an import, and an import may come to be written in another way.
  if (left !== 0) throw new Error('the imports of a bundle are not as they are expected');
  return asking;
}
