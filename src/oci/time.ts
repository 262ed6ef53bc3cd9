/** RFC 3339 in UTC, whole seconds: `2000-01-01T00:00:00Z`, as Go prints times. */
export function formatTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace(/\.000Z$/, 'Z');
}
