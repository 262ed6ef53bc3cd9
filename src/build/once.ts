/** Does the work of each key once: who asks later, or meanwhile, gets the same result, or the same failure. */
export type Once<T> = (key: string, work: () => Promise<T>) => Promise<T>;

export function once<T>(): Once<T> {
  const results = new Map<string, Promise<T>>();
  return (key, work) => {
    const known = results.get(key);
    if (known !== undefined) return known;
    const result = work();
    results.set(key, result);
    return result;
  };
}
