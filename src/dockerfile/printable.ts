/** Text from a file as it may reach a terminal: no control character but the tab, and no more than `length` characters. */
export function printable(text: string, length: number): string {
  const cut = text.length > length ? `${text.slice(0, length)}…` : text;
  return cut.replace(/[\x00-\x08\x0a-\x1f\x7f-\x9f]/g, '\ufffd');
}
