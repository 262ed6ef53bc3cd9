import { isSpace } from './go-text.js';

/** Collects the words of a text: spaces that are added plainly divide, what is added as raw never does. */
export class WordSplitter {
  readonly #words: string[] = [];
  #word = '';

  add(text: string): void {
    for (const character of text) {
      if (!isSpace(character)) this.#word += character;
      else this.#finish();
    }
  }

  addRaw(text: string): void {
    this.#word += text;
  }

  end(): readonly string[] {
    this.#finish();
    return this.#words;
  }

  #finish(): void {
    if (this.#word !== '') this.#words.push(this.#word);
    this.#word = '';
  }
}
