import type { ModelId } from "@claude-relay/contract";
import { resolveModel } from "./model-alias.ts";

/** Begins with a letter or digit: ".." would be another path upstream. */
export const isModelId = (text: string): text is ModelId =>
  /^[A-Za-z0-9][A-Za-z0-9._:@[\]-]{0,127}$/.test(text);

/**
 * Compiles a list of model patterns: exact ids, or a prefix followed by one `*`. Null allows every model,
 * an empty list none. An alias such as `opus` stands for its full id. Matching is by the exact characters of the id.
 * @throws RangeError when a pattern is bad; `modelPatternFault` says why beforehand
 */
export const compileModelList = (
  patterns: readonly string[] | null,
): ((model: string) => boolean) => {
  if (patterns === null) {
    return () => true;
  }
  const exact = new Set<string>();
  const prefixes: string[] = [];
  for (const pattern of patterns) {
    const fault = modelPatternFault(pattern);
    if (fault !== null) {
      throw new RangeError(fault);
    }
    if (pattern.endsWith("*")) {
      prefixes.push(pattern.slice(0, -1));
    } else {
      exact.add(resolveModel(pattern));
    }
  }
  return (model) => exact.has(model) || prefixes.some((prefix) => model.startsWith(prefix));
};

/** Says what is wrong with a model pattern and how to write it, or null when nothing is. */
export const modelPatternFault = (pattern: string): string | null => {
  const shown = JSON.stringify(pattern.slice(0, 100));
  if (pattern.length === 0) {
    return "an empty model pattern matches nothing: write a model id or *";
  }
  if (pattern.length > 256) {
    return `the model pattern ${shown}… is longer than 256 characters`;
  }
  if (!/^[\x21-\x7e]+$/.test(pattern)) {
    return `the model pattern ${shown} may hold only printable ASCII, without spaces`;
  }
  const star = pattern.indexOf("*");
  if (star >= 0 && star < pattern.length - 1) {
    return `the model pattern ${shown} has a * before its end: only one at the end is understood, as in claude-opus-*`;
  }
  return null;
};
