/** What a comment above an instruction says of a name that it defines: `# NAME description`. The first such line counts. */
export function descriptionOf(comments: readonly string[], name: string | undefined): string | undefined {
  if (!name) return undefined;
  const line = comments.find(comment => comment.startsWith(`${name} `));
  return line?.slice(name.length + 1);
}
