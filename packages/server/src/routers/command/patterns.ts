import type { Part } from "./ast.ts";

/**
 * Whether something is matched (`~`) with a pattern that can keep the router busy or fill its memory: repetitions in
 * repetitions, or one that only the router knows.
 */
export const hasHeavyPattern = (parts: readonly (Part | null)[]): boolean =>
  parts.some((part, index) => {
    const before = parts[index - 1];
    if (before?.kind === "operator" && before.text === "~") {
      return part?.kind !== "word" && (part?.kind !== "string" || isHeavy(part.text, part.parts));
    }
    return (part?.kind === "group" || part?.kind === "string") && hasHeavyPattern(part.parts);
  });

const isHeavy = (pattern: string, substituted: readonly Part[]): boolean =>
  substituted.length > 0 ||
  pattern.length > 200 ||
  pattern.split(/[*+{]/).length > 12 ||
  heavy.test(pattern);

/** A repetition of a repetition, a great number of them, or a look back at what matched before. */
const heavy = /[*+}?]\)+[*+{]|\{[0-9,]*[0-9]{3}|\{.*\{|\\[1-9]/;
