/** Three digits that say something: 0.123, 1.23, 12.3, 123. */
export function digits(value: number): string {
  if (value === 0) return '0';
  const places = Math.min(3, Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value)))));
  return value.toFixed(places);
}

/** With commas between thousands, in every locale. */
export function grouped(value: number): string {
  return value.toLocaleString('en');
}
