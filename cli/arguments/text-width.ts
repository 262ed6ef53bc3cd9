/**
 * Stands in for the package `string-width` in the built program (`build.js` puts it in its place). yargs measures help
 * texts with it. Ours are plain ASCII, and the package's tables of emoji cost more time to load than all the rest of the
 * command line.
 */
export default function textWidth(text: string): number {
  return text.length;
}
