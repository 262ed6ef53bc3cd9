import { quote } from '../../dockerfile/go-text.js';
import { type Finding, finding } from '../../dockerfile/lint/finding.js';
import type { SourceRange } from '../../errors/errors.js';
import { formatPlatformFull, normalizePlatform, type Platform } from '../../oci/platform.js';

/** InvalidBaseImagePlatform. `reference` is the image as FROM names it, expanded. */
export function lintBasePlatform(reference: string, wanted: Platform, found: Platform, range: SourceRange): Finding[] {
  const [expected, actual] = [wanted, found].map(normalizePlatform) as [Platform, Platform];
  if (expected.os === actual.os && expected.architecture === actual.architecture) return [];
  const [is, shouldBe] = [actual, expected].map(platform => quote(formatPlatformFull(platform)));
  const message = `Base image ${reference} was pulled with platform ${is}, expected ${shouldBe} for current build`;
  const hint = 'Use an image that there is for the platform, or say the platform in FROM.';
  return [finding('InvalidBaseImagePlatform', { range, comments: [] }, message, hint)];
}
