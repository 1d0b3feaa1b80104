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
  heavy.test(pattern) ||
  repeatsChoices(pattern);

/** A great number of repetitions, a repetition of one, or a look back at what matched before. */
const heavy = /\{[0-9,]*[0-9]{3}|\{.*\{|\\[1-9]/;

/** Whether a group that is repeated may be matched in many ways: it repeats something itself, or has a choice. */
const repeatsChoices = (pattern: string): boolean => {
  const open: boolean[] = [];
  let wide = false;
  for (let at = 0; at < pattern.length; at++) {
    const char = pattern.charAt(at);
    if (char === "\\") {
      at++;
    } else if (char === "[") {
      const close = pattern.indexOf("]", at + 2);
      if (close < 0) {
        return true;
      }
      at = close;
    } else if (char === "(") {
      open.push(wide);
      wide = false;
    } else if (char === ")") {
      if (wide && repeats.has(pattern.charAt(at + 1))) {
        return true;
      }
      wide ||= open.pop() ?? false;
    } else {
      wide ||= widens.has(char);
    }
  }
  return false;
};

const repeats = new Set("*+{");
const widens = new Set("*+{|?");
