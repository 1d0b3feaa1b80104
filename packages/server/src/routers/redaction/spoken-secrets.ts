import { isConnector, isLooseConnector, isProse } from "./prose-words.ts";
import type { Range } from "./range.ts";
import { skip, type ValueEnds } from "./value-ends.ts";

/**
 * The values after a name with nothing but words between: `password X`, "the password of anna is now X". Reads no
 * further than a few words on the same line, so that no place costs more than another.
 * @param at past the name
 * @param plainly whether the name is said of secrets alone; after others only what looks like one is taken
 */
export const spokenSecrets = (
  text: string,
  at: number,
  ends: ValueEnds,
  plainly: boolean,
): readonly Range[] => {
  const ranges: Range[] = [];
  let expects: Expectation = plainly ? "any" : "odd";
  let next = at;
  for (let count = 0; count < mostWords; count++) {
    const start = skip(text, next, " \t");
    const word = wordAt(text, start, ends);
    if (word === null || isParameter.test(word.text)) {
      return ranges;
    }
    if (expects !== "none" && isTaken(word, expects, ranges.length > 0 || count > 0)) {
      ranges.push({ start, end: word.end });
      if (word.isQuoted || looksOdd(word.text)) {
        return ranges;
      }
      expects = "none";
    } else {
      expects = expectationAfter(word.lower, count === 0 ? "none" : expects);
    }
    if (sentenceEnd.test(word.text) || (!plainly && expects !== "any")) {
      return ranges;
    }
    next = word.end;
  }
  return ranges;
};

/** What is taken for the secret next: any word, one that looks like a secret, or nothing. */
type Expectation = "any" | "odd" | "none";

type Word = Readonly<{
  /** As it stands, or its beginning when it is long. */
  text: string;
  /** In lower case, without the marks around it. */
  lower: string;
  end: number;
  isQuoted: boolean;
}>;

const mostWords = 14;
const longestWord = 64;

/** Null at the line's end. */
const wordAt = (text: string, start: number, ends: ValueEnds): Word | null => {
  const blank = ends.blank(start);
  if (blank === start) {
    return null;
  }
  const word = text.slice(start, Math.min(blank, start + longestWord));
  const lower = word.toLowerCase().replace(/^[("']{1,4}|[.,;?!)"']{1,4}$/g, "");
  const isQuoted = quoteOpens.test(word);
  const end = isQuoted ? Math.min(ends.valueEnd(start), Math.max(ends.line(start), blank)) : blank;
  return { text: word, lower, end, isQuoted };
};

const isTaken = (word: Word, expects: Expectation, isFar: boolean): boolean => {
  if (word.isQuoted) {
    return true;
  }
  if (word.lower === "" || isExpression.test(word.text) || signs.test(word.text)) {
    return false;
  }
  if (isProse(word.lower.replace(/:$/, "")) || (isFar && isPlace.test(word.lower))) {
    return false;
  }
  return expects === "any" || looksOdd(word.text);
};

/** What may come once this word was none. Prose between the connector and the value changes nothing. */
const expectationAfter = (lower: string, before: Expectation): Expectation => {
  if (isConnector(lower) || lower.endsWith(":") || signs.test(lower)) {
    return "any";
  }
  if (isLooseConnector(lower)) {
    return "odd";
  }
  return isProse(lower) ? before : "none";
};

/** As few words of a language do: with digits, marks or capitals inside. */
const looksOdd = (word: string): boolean => odd.test(word);

const odd = /\d|[!@#$%^&*+~§€]|[^\s\p{Lu}(["'-]\p{Lu}/u;
/** Not a quote that closes: what follows it is then a space or the end of something. */
const quoteOpens = /^\\?["'][^\s;)\]}]/;
const isParameter = /^[.a-z][a-z0-9.-]*=/;
const isExpression = /^(?:[[({][/:$[({]?|do=\{|where$|\[)/;
const signs = /^[=:>→-]{1,3}$/;
const sentenceEnd = /[^.][.;?]$/;
/** Interfaces and addresses, which a sentence often goes on with. */
const isPlace = /^(?:(?:ether|sfp|wlan|wifi|vlan|lte|bridge)[a-z0-9-]*|\d+\.\d+\.\d+\.\d+[/\d]*)$/;

/**
 * The value before a name: "use X as the password".
 * @param start of the name
 */
export const spokenBefore = (text: string, start: number): Range | null => {
  const from = Math.max(0, start - longestBefore);
  const found = before.exec(text.slice(from, start));
  const word = found?.[1];
  if (!found || word === undefined || isProse(word.toLowerCase())) {
    return null;
  }
  return { start: from + found.index, end: from + found.index + word.length };
};

const longestBefore = 96;
const before =
  /(?<!\S)([^\s=]{4,64})[ \t]{1,4}(?:as|als|comme|como|como a|is|ist)[ \t]{1,4}(?:(?:the|a|its|my|our|new|das|le|la|wifi|wi-fi|wlan|neues)[ \t]{1,4}){0,4}["']?$/i;
