import { join } from 'node:path';
import { openLayout } from '../../src/store/layout.js';
import { openStore } from '../../src/store/store.js';
import { describeContent } from '../support/content-suite.js';
import { MemoryContent } from '../support/memory-content.js';
import { tempDir } from '../support/temp-dir.js';

describeContent('memory', async () => ({ content: new MemoryContent() }));

describeContent('a layout', async () => {
  const root = join(await tempDir(), 'layout');
  return { content: openLayout(root), reopen: async () => openLayout(root) };
});

describeContent('the store', async () => {
  const root = join(await tempDir(), 'store');
  const store = await openStore(root);
  return { content: store, reopen: () => openStore(root), close: () => store.close() };
});
