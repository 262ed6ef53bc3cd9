/** What is needed of the JavaScript interface of WebAssembly, which the types of Node 20 leave out. */
declare const WebAssembly:
  | {
      readonly Module: new (bytes: Uint8Array) => object;
      readonly Instance: new (module: object) => { readonly exports: unknown };
    }
  | undefined;

/** Node without compilation (`--jitless`) has no WebAssembly. */
export const hasWasm = typeof WebAssembly !== 'undefined';

/** What a module of `wasm/` exports, given its code in base64. It has a memory of its own. */
export function wasmModule<Exports>(code: string): Exports {
  return new WebAssembly!.Instance(new WebAssembly!.Module(Buffer.from(code, 'base64'))).exports as Exports;
}
