/** What Claude wrote, made fit to be shown, confirmed and run: what is read at a terminal is what runs. */
import { RouterRefusal } from "../pipeline/router-ports.ts";

/** As long as an answer may be for people to read and confirm it, and to stay under the wire's cap. */
const longestCommand = 3000;
const mostLines = 40;
const longestExplanation = 600;

/**
 * The script of an answer, with plain line ends and no blank lines.
 * @param isRedacted whether a text has a placeholder of ours
 * @throws RouterRefusal `not_possible` with the remedy
 */
export const usableScript = (
  value: Readonly<Record<string, unknown>>,
  isRedacted: (text: string) => boolean,
): string => {
  const script = withPlainLines(String(value["routeros_command"]));
  if (value["possible"] !== true || script === "") {
    const explanation = shownExplanation(value["explanation"]);
    throw notPossible(explanation === "" ? "Claude found no command for this." : explanation);
  }
  demandReadable(script);
  // A model may spell the placeholder its own way; as a password it would be everybody's.
  if (isRedacted(script) || /\bredacted\b/i.test(script)) {
    throw notPossible(
      "This needs a password or key, which the relay does not pass on to Claude: set it by hand.",
    );
  }
  if (standIns.some((standIn) => standIn.test(script))) {
    throw notPossible(
      "Claude put a stand-in where a password, key or value belongs, which must not run as it is. Set the secret by hand on the router, or ask again with the missing value.",
    );
  }
  return script;
};

/** On one line, so that nothing it says can pass for a command or push one out of sight. */
export const shownExplanation = (text: unknown): string =>
  shortened(onOneLine(String(text)), longestExplanation);

/** Read and not run: it may have lines, and nothing else that moves a cursor. */
export const shownSuggestion = (text: unknown): string => {
  const lines = String(text).replace(/\r\n?/g, "\n").split("\n").map(onOneLine);
  return shortened(lines.filter((line) => line !== "").join("\n"), longestCommand);
};

const onOneLine = (text: string): string => text.replace(/[\p{C}\p{Z}]+/gu, " ").trim();

const withPlainLines = (script: string): string =>
  script
    .replace(/\r\n?/g, "\n")
    .replace(/\n(?:[ \t]*\n)+/g, "\n")
    .trim();

/** Nothing in it may scroll or wrap away, or read as something else. */
const demandReadable = (script: string): void => {
  if (script.length > longestCommand) {
    throw notPossible(
      `The commands for this are longer than ${longestCommand} characters, more than can be shown and confirmed. Ask for less at once.`,
    );
  }
  if (script.split("\n").length > mostLines) {
    throw notPossible(
      `The commands for this are more than ${mostLines} lines, more than can be shown and confirmed. Ask for less at once.`,
    );
  }
  if (/[^\n\x20-\x7e]/.test(script)) {
    throw notPossible(
      "Claude's commands hold characters that not every terminal shows as they are. Ask again with names in plain ASCII letters, e.g. Buero for Büro, or set this one by hand.",
    );
  }
  if (/ {16}/.test(script)) {
    throw notPossible(
      "Claude's commands hold a long run of spaces, behind which something could stand unseen. Ask again in other words.",
    );
  }
};

const notPossible = (why: string): RouterRefusal => new RouterRefusal("not_possible", why);

/** What models write in place of a secret that they do not have. */
const standIns: readonly RegExp[] = [
  /<[a-z][a-z0-9 _./-]{0,60}>/i,
  /\byour[\w -]{0,40}?(?:password|passphrase|secret|key|psk|token|pin)\b/i,
  /\b(?:enter|insert|put|replace|type)[-_ ](?:[a-z0-9]{1,20}[-_ ]){0,4}(?:password|passphrase|secret|key|psk|token|pin|here)\b/i,
  /(?:^|[\s="'(])["']?(?:change-?_?(?:me|this|it)[\w!-]*|x{4,}|\*{4,}|\.{3}|placeholder|replace-?_?me|to-?do|tbd|dummy)(?=$|[\s;"'\])}])/i,
  /(?:password|passphrase|secret|psk|-key|passwd)=["']?(?:password\d*|passphrase|secret\d*|mypassword|my-?_?(?:password|secret|key)|p@ssw0rd|example\w*|12345678\d*|qwerty\w*)(?=$|[\s;"'\])}])/i,
];

/** Never ends on half a character. */
const shortened = (text: string, longest: number): string => {
  const trimmed = text.trim();
  return trimmed.length <= longest ? trimmed : `${trimmed.slice(0, longest - 3).toWellFormed()}...`;
};
