import type { Transform } from "node:stream";
import {
  constants,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createInflateRaw,
  createZstdDecompress,
} from "node:zlib";
import { unreachable } from "../faults.ts";

/**
 * What takes a body's encoding off; null when it has none. `firstByte` tells the two meanings of `deflate` apart.
 * @throws Refusal on more than one layer: real servers send one, bombs send fifty.
 */
export const decoderOf = (header: string | null, firstByte: number): Transform | null => {
  const layers = (header ?? "")
    .toLowerCase()
    .split(",")
    .map((layer) => layer.trim())
    .filter((layer) => layer !== "" && layer !== "identity");
  const [layer] = layers;
  if (layer === undefined) {
    return null;
  }
  if (layers.length > 1) {
    throw unreachable("the page is compressed more than once; only one encoding is taken off.");
  }
  return decoder(layer, firstByte);
};

const decoder = (layer: string, firstByte: number): Transform => {
  switch (layer) {
    case "gzip":
    case "x-gzip":
      return createGunzip();
    case "deflate":
      // RFC 9110 means zlib's framing, whose first byte ends in 8; some servers send the bare stream.
      return (firstByte & 0x0f) === 8 ? createInflate() : createInflateRaw();
    case "br":
      return createBrotliDecompress();
    case "zstd":
      // RFC 9659: 8 MiB is the largest window on the web. The default would allow 128.
      return createZstdDecompress({ params: { [constants.ZSTD_d_windowLogMax]: 23 } });
    default:
      throw unreachable("the page is compressed in a way that is not known here.");
  }
};
