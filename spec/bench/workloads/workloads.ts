import { compression } from './compression.js';
import { curve } from './curve.js';
import { emptyFiles } from './empty-files.js';
import { firstBuild } from './first-build.js';
import { firstPush } from './first-push.js';
import { hugeBlob } from './huge-blob.js';
import { inProcess } from './in-process.js';
import { largeFile } from './large-file.js';
import { packing } from './packing.js';
import { pull } from './pull.js';
import { push } from './push.js';
import { oneChanged, unchanged } from './rebuild.js';
import { runOne } from './run.js';
import { smallBlobs } from './small-blobs.js';
import { smallUnchanged } from './small-context.js';
import { start } from './start.js';
import { unpack } from './unpack.js';
import type { Workload } from './workload.js';

/** All of them, in the order in which they run. */
export const workloads: readonly Workload[] = [
  ...[
    start,
    inProcess,
    firstBuild,
    firstPush,
    packing,
    unchanged,
    oneChanged,
    smallUnchanged,
    runOne,
    unpack,
    largeFile,
    emptyFiles,
  ],
  ...[pull, push, smallBlobs, hugeBlob, compression, curve],
];
