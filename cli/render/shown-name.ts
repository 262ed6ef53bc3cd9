import { familiarName, parseReference } from '../../src/index.js';

/** A name of the store as people write it. Names that other tools have written into the layout may be no references. */
export function shownName(name: string): string {
  try {
    return familiarName(parseReference(name));
  } catch {
    return name;
  }
}
