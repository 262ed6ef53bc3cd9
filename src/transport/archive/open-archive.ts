import { LadingError } from '../../errors/errors.js';
import type { ArchiveSource } from './archive-source.js';
import { readDockerArchive } from './docker-archive.js';
import { readOciArchive } from './oci-archive.js';
import { type OpenTarOptions, TarFile } from './tar-file.js';

/**
 * Opens an archive of images in whichever of the formats it is. Newer Docker archives are both: Docker's own part, which
 * has the names, is what counts then.
 */
export async function openImageArchive(path: string, options: OpenTarOptions): Promise<ArchiveSource> {
  const tar = await TarFile.open(path, options);
  const isDocker = tar.member('manifest.json') !== undefined || tar.member('repositories') !== undefined;
  if (!isDocker && tar.member('index.json') === undefined) {
    await tar.close();
    throw new LadingError('INVALID_ARCHIVE', `${tar.title} is no archive of images`, {
      details: { problem: 'neither manifest.json nor index.json is in it' },
      hint: 'Give what "docker save", "podman save" or "lading save" wrote.',
    });
  }
  return isDocker ? await readDockerArchive(tar, '', options) : await readOciArchive(tar, '', options);
}
