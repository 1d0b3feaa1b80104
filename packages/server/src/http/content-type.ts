import type { IncomingHttpHeaders } from "node:http";
import { Refusal } from "../pipeline/refusal.ts";

/**
 * Demands plain JSON in UTF-8: a body that may be read in two ways is refused.
 * @throws Refusal `unsupported_media_type` naming the header and the remedy
 */
export const demandJson = (headers: IncomingHttpHeaders): void => {
  const type = headers["content-type"];
  // The usual case by comparison; the pattern for the rest.
  if (
    type !== "application/json" &&
    !/^application\/json *(; *charset *= *"?utf-?8"?)? *$/i.test(type ?? "")
  ) {
    throw new Refusal(
      "unsupported_media_type",
      `content-type must be application/json, in UTF-8, not ${type === undefined ? "absent" : `"${type.slice(0, 64)}"`}.`,
    );
  }
  const encoding = headers["content-encoding"];
  if (encoding !== undefined && encoding !== "identity") {
    throw new Refusal(
      "unsupported_media_type",
      `content-encoding "${encoding.slice(0, 64)}" is not accepted: send the body as it is.`,
    );
  }
};
