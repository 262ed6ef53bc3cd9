/** An address as it stands before a port. */
export function hostText(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}
