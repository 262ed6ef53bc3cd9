/** A line of a history without what versions of BuildKit write differently: flags, values of arguments, how lists look. */
export function plainHistory(line = ''): string {
  return line
    .replace(/^(COPY|ADD) (?:--\S+ )+/, '$1 ')
    .replace(/^ARG (\w+).*/s, 'ARG $1')
    .replace(/^(EXPOSE|HEALTHCHECK) .*/s, '$1');
}
