/** Something that is made for the first who asks; the same, or the same failure, for all. */
export interface Lazy<T> {
  (): Promise<T>;
  /** What has been made, or is being made; for whoever has to close it. */
  readonly made: Promise<T> | undefined;
}

export function lazy<T>(make: () => Promise<T>): Lazy<T> {
  let made: Promise<T> | undefined;
  const get = (): Promise<T> => {
    made ??= make();
    return made;
  };
  return Object.defineProperty(get, 'made', { get: () => made }) as Lazy<T>;
}
