/** `localhost`, 127.0.0.0/8 and ::1, as `URL.hostname` has them. */
export function isLoopbackHost(name: string): boolean {
  const host = name.toLowerCase();
  return host === 'localhost' || host === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(host);
}
