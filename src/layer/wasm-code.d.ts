/** A module of `wasm/` with all that it imports, in base64: the build and the test runner make it. */
declare module '*?wasm' {
  const base64: string;
  export default base64;
}
