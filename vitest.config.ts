import { defineConfig } from 'vitest/config';
import { viteWorkerCode } from './worker-code.js';

export default defineConfig({ plugins: [viteWorkerCode] });
