import { closeBracket, comma, type JsonBytes, unexpected } from "./json-bytes.ts";
import { skipSpace } from "./json-scan.ts";

/** After a member or element: the index of the next one, or -1 minus the index after the container. */
export const nextOf = (json: JsonBytes, at: number, closer: number): number => {
  const i = skipSpace(json, at);
  const byte = i < json.end ? json.bytes[i] : 0;
  if (byte === comma) {
    return skipSpace(json, i + 1);
  }
  if (byte === closer) {
    return -2 - i;
  }
  throw unexpected(json, i);
};

/** The first member or element after an opening bracket at `at`, or as `nextOf` for an empty one. */
export const firstOf = (json: JsonBytes, at: number, closer: number): number => {
  const i = skipSpace(json, at + 1);
  return i < json.end && json.bytes[i] === closer ? -2 - i : i;
};

/** Walks an array's elements: `element` gets each one's index and gives the index after it. */
export const walkArray = (
  json: JsonBytes,
  at: number,
  element: (at: number, index: number) => number,
): number => {
  let i = firstOf(json, at, closeBracket);
  for (let index = 0; i >= 0; index++) {
    i = nextOf(json, element(i, index), closeBracket);
  }
  return -1 - i;
};
