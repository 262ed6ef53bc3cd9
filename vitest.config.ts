import { defineConfig } from 'vitest/config';
import { wasmCode } from './wasm-code.js';
import { workerCode } from './worker-code.js';

export default defineConfig({ plugins: [wasmCode.vite, workerCode.vite] });
