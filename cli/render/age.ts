const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

/** How long ago something was: `5 seconds ago`, `2 days ago`, `3 years ago`. What is in the future is `just now`. */
export function formatAge(then: number, now: number): string {
  const span = formatSpan(now - then);
  return span === undefined ? 'just now' : `${span} ago`;
}

/** How long something has been: `5 seconds`, `2 days`; `undefined` for less than a second. */
export function formatSpan(milliseconds: number): string | undefined {
  if (milliseconds < second) return undefined;
  if (milliseconds < 2 * minute) return counted(milliseconds / second, 'second');
  if (milliseconds < 2 * hour) return counted(milliseconds / minute, 'minute');
  if (milliseconds < 2 * day) return counted(milliseconds / hour, 'hour');
  if (milliseconds < 14 * day) return counted(milliseconds / day, 'day');
  if (milliseconds < 60 * day) return counted(milliseconds / (7 * day), 'week');
  if (milliseconds < 730 * day) return counted(milliseconds / (30.4375 * day), 'month');
  return counted(milliseconds / (365.25 * day), 'year');
}

/** A stretch of time: `0.3s`, `12.0s`, `2m05s`. */
export function formatDuration(milliseconds: number): string {
  const seconds = Math.max(0, milliseconds) / 1000;
  if (seconds < 59.95) return `${seconds.toFixed(1)}s`;
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)}m${String(whole % 60).padStart(2, '0')}s`;
}

function counted(number: number, name: string): string {
  const count = Math.floor(number);
  return `${count} ${name}${count === 1 ? '' : 's'}`;
}
