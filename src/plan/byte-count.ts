const scale = ['', 'k', 'm', 'g', 't', 'p'];

/** `64m`, `1.5G`, `512KiB`, `100`: a number of bytes in powers of 1024; `undefined` when it is none. */
export function parseByteCount(text: string): number | undefined {
  const match = /^(\d{1,20}(?:\.\d{0,20})?|\.\d{1,20}) ?(?:([kmgtp])i?)?b?$/i.exec(text);
  if (match === null) return undefined;
  return Math.floor(Number(match[1]) * 1024 ** scale.indexOf(match[2]?.toLowerCase() ?? ''));
}
