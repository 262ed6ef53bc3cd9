import type { HttpResponse } from '../http/http.js';

/** What is left of what a registry allows in a time. */
export interface RateLimit {
  readonly remaining: number;
  readonly limit?: number | undefined;
  readonly windowSeconds?: number | undefined;
}

/** From headers as Docker Hub sends them: `ratelimit-remaining: 76;w=21600`. */
export function rateLimitOf(response: HttpResponse): RateLimit | undefined {
  const [, remaining, window] = parse(response.header('ratelimit-remaining'));
  if (remaining === undefined) return undefined;
  const [, limit] = parse(response.header('ratelimit-limit'));
  return {
    remaining: Number(remaining),
    ...(limit === undefined ? {} : { limit: Number(limit) }),
    ...(window === undefined ? {} : { windowSeconds: Number(window) }),
  };
}

function parse(text: string | undefined): readonly (string | undefined)[] {
  return /^\s*(\d{1,9})(?:\s*;\s*w=(\d{1,9}))?/.exec(text ?? '') ?? [];
}

/** Whether it is time to speak of it: what was known last, if anything, and what is left now. */
export function isWorthTelling(last: RateLimit | undefined, now: RateLimit): boolean {
  if (last === undefined) return true;
  return now.remaining < last.remaining && now.remaining <= (now.limit ?? 100) / 10;
}
