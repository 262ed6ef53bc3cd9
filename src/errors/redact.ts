/** Query parameters that registries and their storage use openly; every other value may be a signature or a token. */
const plainParameters = new Set(['digest', 'from', 'mount', 'n', 'ns', 'last', 'scope', 'service', 'artifactType']);

/** A URL that may be shown: no user, no password, no query value that is not known to be harmless. */
export function redactUrl(url: string | URL): string {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    return '(unreadable URL)';
  }
  parsed.username = '';
  parsed.password = '';
  for (const key of [...parsed.searchParams.keys()]) {
    if (!plainParameters.has(key)) parsed.searchParams.set(key, 'REDACTED');
  }
  parsed.hash = '';
  return parsed.toString();
}

/** Free text from elsewhere (an error body, a helper's stderr) with `user:password@` and bearer tokens taken out. */
export function redactText(text: string): string {
  return text
    .replace(/\b([a-z][a-z0-9+.-]{0,30}:\/\/)[^\s/@]{1,1024}@/gi, '$1REDACTED@')
    .replace(/\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,8192}/gi, '$1 REDACTED')
    .replace(
      /("?(?:password|secret|token|identitytoken|auth)"?\s*[:=]\s*)("[^"]{0,8192}"|[^\s",}]{1,8192})/gi,
      '$1REDACTED',
    );
}

/** Text with the values in the queries of its web addresses taken out: they may be signatures or tokens. */
export function redactQueries(text: string): string {
  return text.replace(/\bhttps?:\/\/[^\s"'?#]+\?[^\s"']*/gi, address => redactUrl(address));
}

/** Text of a Dockerfile with `user:password@` of its addresses taken out; the user alone of an SSH address stays. */
export function redactUserinfo(text: string): string {
  return text
    .replace(/\b(https?:\/\/)[^\s/?#]{1,1024}@/gi, '$1REDACTED@')
    .replace(/\b((?:ssh|git):\/\/)[^\s/?#:@]{0,1024}:[^\s/?#]{1,1024}@/gi, '$1REDACTED@');
}

const secretWord = /(?:_|^)(?:apikey|auth|credentials?|key|password|pword|passwd|secret|token)(?:_|$)/i;
const harmlessWord = /(?:_|^)(?:public|file|version)(?:_|$)/i;

/** Whether a variable of this name is likely to hold a secret. */
export function soundsSecret(name: string): boolean {
  return secretWord.test(name) && !harmlessWord.test(name);
}
