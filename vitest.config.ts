import { defineConfig } from 'vitest/config';
import { viteWasmCode } from './wasm-code.js';
import { viteWorkerCode } from './worker-code.js';

export default defineConfig({ plugins: [viteWasmCode, viteWorkerCode] });
