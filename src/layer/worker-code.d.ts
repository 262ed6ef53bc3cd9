/** A module with all that it imports, as the text of a script: the build and the test runner make it. */
declare module '*?worker-code' {
  const code: string;
  export default code;
}
