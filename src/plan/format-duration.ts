const units = [
  { name: 's', nanoseconds: 1_000_000_000 },
  { name: 'ms', nanoseconds: 1_000_000 },
  { name: '\u00b5s', nanoseconds: 1000 },
  { name: 'ns', nanoseconds: 1 },
];

/** Nanoseconds as Go prints a duration: `1h30m0s`, `1.5s`, `100ms`, `0s`. History texts have them this way. */
export function formatDuration(nanoseconds: number): string {
  if (nanoseconds === 0) return '0s';
  const minutes = Math.floor(nanoseconds / 60e9);
  if (minutes > 0) {
    const hours = Math.floor(minutes / 60);
    const seconds = decimal(nanoseconds % 60e9, 1e9);
    return hours > 0 ? `${hours}h${minutes % 60}m${seconds}s` : `${minutes}m${seconds}s`;
  }
  const unit = units.find(candidate => nanoseconds >= candidate.nanoseconds)!;
  return `${decimal(nanoseconds, unit.nanoseconds)}${unit.name}`;
}

/** `value / unit` exactly; `unit` is a power of ten. */
function decimal(value: number, unit: number): string {
  const whole = Math.floor(value / unit);
  const digits = String(unit).length - 1;
  const fraction =
    digits === 0
      ? ''
      : String(value % unit)
          .padStart(digits, '0')
          .replace(/0+$/, '');
  return fraction === '' ? String(whole) : `${whole}.${fraction}`;
}
