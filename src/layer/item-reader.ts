import { entryCount, type LayerItem } from './file-run.js';

/** Items one after another, some of which may be read again. */
export class ItemReader {
  readonly #items: Iterator<LayerItem>;
  /** Put back: the next one last. */
  readonly #back: LayerItem[] = [];

  constructor(items: Iterable<LayerItem>) {
    this.#items = items[Symbol.iterator]();
  }

  next(): LayerItem | undefined {
    return this.#back.pop() ?? (this.#items.next().value as LayerItem | undefined);
  }

  putBack(items: readonly LayerItem[]): void {
    for (let i = items.length - 1; i >= 0; i--) this.#back.push(items[i]!);
  }

  /** The next entry, if there is one. */
  one(): LayerItem | undefined {
    const item = this.next();
    return item === undefined ? undefined : this.span(item, 1)[0];
  }

  /** So many entries, of which `first` is or holds the first; fewer where there are no more. */
  span(first: LayerItem, count: number): LayerItem[] {
    const span: LayerItem[] = [];
    let missing = count;
    for (let item: LayerItem | undefined = first; item !== undefined; item = missing > 0 ? this.next() : undefined) {
      const size = entryCount(item);
      if (size <= missing || 'path' in item) {
        span.push(item);
        missing -= size;
      } else {
        span.push(item.slice(0, missing));
        this.putBack([item.slice(missing, size)]);
        missing = 0;
      }
    }
    return span;
  }
}
