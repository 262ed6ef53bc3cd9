/** What is needed of the JavaScript interface of WebAssembly, which the types of Node 20 leave out. */
declare const WebAssembly:
  | {
      readonly Memory: new (pages: {
        readonly initial: number;
        readonly maximum: number;
        readonly shared: true;
      }) => WasmMemory;
      readonly Module: new (bytes: Uint8Array) => object;
      readonly Instance: new (module: object, imports: object) => { readonly exports: unknown };
    }
  | undefined;

/** Memory that several threads see. Its buffer is another object when it has grown, and only then. */
export interface WasmMemory {
  readonly buffer: SharedArrayBuffer;
  grow(pages: number): number;
}

const pageBytes = 65536;

/** Node without compilation (`--jitless`) has no WebAssembly. */
export const hasWasm = typeof WebAssembly !== 'undefined';

/** Memory of so many bytes, or a few more, that may grow up to `most`. What is never touched takes none. */
export function wasmMemory(bytes: number, most = bytes): WasmMemory {
  return new WebAssembly!.Memory({ initial: pagesOf(bytes), maximum: pagesOf(most), shared: true });
}

/** @throws RangeError when there is not so much */
export function growTo(memory: WasmMemory, bytes: number): void {
  const missing = pagesOf(bytes) - memory.buffer.byteLength / pageBytes;
  if (missing > 0) memory.grow(missing);
}

/** What a module of `wasm/` exports, given its code in base64, on this memory. */
export function wasmModule<Exports>(code: string, memory: WasmMemory): Exports {
  const module = new WebAssembly!.Module(Buffer.from(code, 'base64'));
  return new WebAssembly!.Instance(module, { env: { memory } }).exports as Exports;
}

function pagesOf(bytes: number): number {
  return Math.ceil(bytes / pageBytes);
}
