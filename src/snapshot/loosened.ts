/**
 * The mode that a file gets on the disk where whoever runs the builder owns it and has no privilege: never less than what
 * it takes to read it again, and to change what is in a folder.
 */
export function loosened(mode: number, type: 'directory' | 'file' | 'other'): number {
  return type === 'directory' ? mode | 0o700 : type === 'file' ? mode | 0o400 : mode;
}
