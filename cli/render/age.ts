const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

/** How long ago something was: `5 seconds ago`, `2 days ago`, `3 years ago`. What is in the future is `just now`. */
export function formatAge(then: number, now: number): string {
  const age = now - then;
  if (age < second) return 'just now';
  if (age < 2 * minute) return ago(age, second, 'second');
  if (age < 2 * hour) return ago(age, minute, 'minute');
  if (age < 2 * day) return ago(age, hour, 'hour');
  if (age < 14 * day) return ago(age, day, 'day');
  if (age < 60 * day) return ago(age, 7 * day, 'week');
  if (age < 730 * day) return ago(age, 30.4375 * day, 'month');
  return ago(age, 365.25 * day, 'year');
}

/** A stretch of time: `0.3s`, `12.0s`, `2m05s`. */
export function formatDuration(milliseconds: number): string {
  const seconds = Math.max(0, milliseconds) / 1000;
  if (seconds < 59.95) return `${seconds.toFixed(1)}s`;
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)}m${String(whole % 60).padStart(2, '0')}s`;
}

function ago(age: number, unit: number, name: string): string {
  const count = Math.floor(age / unit);
  return `${count} ${name}${count === 1 ? '' : 's'} ago`;
}
