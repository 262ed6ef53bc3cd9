import type { DockerfileAst, Instruction } from './ast.js';
import { quote, quoteList } from './go-text.js';

/**
 * The tree as text, an instruction a line: `(copy ["--from=build"] "/a" "/b")`. The format in which BuildKit writes
 * its own tests, so that files and results can be compared with it.
 */
export function formatAst(ast: DockerfileAst): string {
  return ast.instructions.map(instruction => `(${formatNode(instruction)})`).join('\n');
}

function formatNode(node: Instruction): string {
  const parts = [node.keyword.toLowerCase()];
  if (node.flags.length > 0) parts.push(quoteList(node.flags));
  if (node.kind === 'ONBUILD') parts.push(`(${formatNode(node.instruction)})`);
  else parts.push(...node.words.map(quote));
  return parts.join(' ');
}
