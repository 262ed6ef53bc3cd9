import { LadingError } from '../../../errors/errors.js';

/** One place that serves images, as a file describes it. */
export interface PlaceRule {
  /** `HOST[:PORT][/PATH]`: stands in for what the rule matches. */
  readonly location: string;
  readonly scheme?: 'http' | 'https' | undefined;
  /** Plain HTTP and unverified certificates are accepted. */
  readonly insecure?: boolean | undefined;
  /** Files with authorities, PEM. */
  readonly authorityFiles?: readonly string[] | undefined;
  /** Files with a certificate to show, and its key; they may be one file. */
  readonly client?: { readonly certificate: string; readonly key: string } | undefined;
  /** What the API is below, `/v2/` by default; ends with a slash. */
  readonly apiRoot?: string | undefined;
  /** Told to a mirror that serves several registries. */
  readonly namespace?: string | undefined;
}

export interface MirrorRule extends PlaceRule {
  /** Whether it is asked what tags mean. */
  readonly tags: boolean;
  /** Whether it is asked for content by digest. */
  readonly digests: boolean;
}

/** What a file says of all images whose name begins in one way. */
export interface RegistryRule {
  /** `HOST[:PORT]`, `HOST[:PORT]/PATH`, or `*.DOMAIN`. */
  readonly prefix: string;
  /** Where the images are; without a location where their name says. */
  readonly origin: Omit<PlaceRule, 'location'> & { readonly location?: string | undefined };
  /** Asked first when something is read, in this order. */
  readonly mirrors: readonly MirrorRule[];
  readonly blocked?: boolean | undefined;
  /** The file that says so. */
  readonly source: string;
}

/** How much of the name `HOST/PATH` a prefix matches, in characters; 0 is: it does not. */
export function matchLength(prefix: string, name: string): number {
  if (prefix.startsWith('*.')) {
    const host = name.slice(0, name.indexOf('/')).replace(/:\d+$/, '');
    return host.endsWith(prefix.slice(1)) ? name.indexOf('/') : 0;
  }
  const whole = name === prefix || name.startsWith(`${prefix}/`);
  return whole ? prefix.length : 0;
}

/** The rule that says the most about a name; of several with the same prefix the last. */
export function closestRule(rules: readonly RegistryRule[], name: string): RegistryRule | undefined {
  let closest: RegistryRule | undefined;
  for (const rule of rules) {
    if (matchLength(rule.prefix, name) === 0) continue;
    if (closest === undefined || rank(rule) >= rank(closest)) closest = rule;
  }
  return closest;
}

/** A wildcard says less than any name. */
function rank({ prefix }: RegistryRule): number {
  return prefix.startsWith('*.') ? prefix.length - 1000 : prefix.length;
}

export function invalidSettings(file: string, problem: string): LadingError<'INVALID_DOCUMENT'> {
  return new LadingError('INVALID_DOCUMENT', `${file}: ${problem}`, {
    details: { what: file, problem },
    hint: 'See docs/registries.md for what is read of it.',
  });
}
