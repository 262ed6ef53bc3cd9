/** Seconds since 1970 as Node sets times: it takes a negative number for "now", but not a date before 1970. */
export function hostTime(seconds: number): number | Date {
  return seconds < 0 ? new Date(Math.max(seconds * 1000, -8.64e15)) : seconds;
}
