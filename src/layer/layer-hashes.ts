import { createHash, type Hash } from 'node:crypto';

/** What comes next of a layer: of its tar, of its blob, or of both. */
export interface LayerPiece {
  readonly tar?: Uint8Array | undefined;
  readonly blob?: Uint8Array | undefined;
}

/** SHA-256, in hexadecimal. */
export interface LayerDigests {
  readonly tar: string;
  readonly blob: string;
}

/** The hashes of a layer that is being written, wherever they are computed. */
export interface LayerHashing {
  /** The bytes must stay as they are until it is done. */
  update(piece: LayerPiece): Promise<void>;
  /** Ends it. */
  digests(): Promise<LayerDigests>;
  /** Ends it, too, if it has not ended. */
  drop(): void;
}

export class LayerHashes {
  readonly #tar: Hash = createHash('sha256');
  readonly #blob: Hash = createHash('sha256');

  update({ tar, blob }: LayerPiece): void {
    if (tar !== undefined) this.#tar.update(tar);
    if (blob !== undefined) this.#blob.update(blob);
  }

  digests(): LayerDigests {
    return { tar: this.#tar.digest('hex'), blob: this.#blob.digest('hex') };
  }
}
