/** The value of `Authorization` (or `Proxy-Authorization`) for the user and password in an address. */
export function basicAuthorization({ username, password }: URL): string | undefined {
  if (username === '' && password === '') return undefined;
  const plain = [username, password].map(part => {
    try {
      return decodeURIComponent(part);
    } catch {
      return part;
    }
  });
  return `Basic ${Buffer.from(plain.join(':')).toString('base64')}`;
}
