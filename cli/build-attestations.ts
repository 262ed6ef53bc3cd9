/** `--attest`, and `--provenance`, which is short for it, as texts of `--attest`. */
export function attestationTexts({
  attest = [],
  provenance = '',
}: {
  readonly attest?: readonly string[] | undefined;
  readonly provenance?: string | undefined;
}): string[] {
  if (provenance === '') return [...attest];
  const type = 'type=provenance';
  if (/^(?:1|t|true)$/i.test(provenance)) return [...attest, type];
  return [...attest, /^(?:0|f|false)$/i.test(provenance) ? `${type},disabled=true` : `${type},${provenance}`];
}
