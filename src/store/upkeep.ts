/** What looks at a whole store, and is loaded by those who ask for it. */
export { checkStore } from './check.js';
export { pruneStore } from './prune.js';
export { measureStore } from './usage.js';
