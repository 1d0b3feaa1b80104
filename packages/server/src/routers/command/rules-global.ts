import { givenTwice } from "./arguments.ts";
import type { Argument, Part } from "./ast.ts";
import type { GlobalRule } from "./globals.ts";
import { isOurs } from "./scope.ts";
import { forbidden, read, type Verdict, write } from "./verdict.ts";

/** Judges a command that belongs to no menu. What is nested in its arguments is judged elsewhere. */
export const judgeGlobal = (rule: GlobalRule, args: readonly Argument[]): Verdict => {
  if (rule.kind === "forbidden") {
    return forbidden(whyNot.get(rule.name) ?? notFromHere(rule.name));
  }
  const fault = oddArgument(rule, args);
  if (fault !== null) {
    return fault;
  }
  const name = textOf(args.find((arg) => arg.name === null)?.value ?? null);
  if (setsVariables.has(rule.name) && (name === null || isOurs(name))) {
    return forbidden(
      "The relay's own variables hold its secret; they are changed by yourself only.",
    );
  }
  if (rule.kind === "write") {
    return write(whyWrite.get(rule.name) ?? `":${rule.name}" needs your code.`);
  }
  switch (rule.name) {
    case "ping":
      return judgePing("/ping", args);
    case "resolve":
      return isPlainHost(givenFor(args, "domain-name"))
        ? read("Looks a name up; changes nothing.")
        : write(
            "The name to look up is put together on the router, and could carry data away; write it out.",
          );
    case "delay":
      return isShort(givenFor(args, "delay-time"))
        ? read("Waits.")
        : write("It waits long; 10s at most goes without a code.");
    case "do":
      return args.some((arg) => arg.name === "while") ? endless : read("Runs what it holds.");
    case "for":
      return isBounded(args) ? read("Runs what it holds.") : endless;
    default:
      return read(`":${rule.name}" changes nothing.`);
  }
};

/** `/ping` and `/tool traceroute`: bounded, and to somewhere that is written out. */
export const judgePing = (name: string, args: readonly Argument[]): Verdict => {
  const odd = args.find((arg) => arg.name !== null && !pingNames.has(arg.name));
  if (odd !== undefined) {
    return forbidden(`"${name}" is not known here with "${odd.name}"; leave it out.`);
  }
  const twice = givenTwice(args);
  if (twice !== null) {
    return forbidden(`"${twice}" is given twice; give it once.`);
  }
  if (args.filter((arg) => arg.name === null || arg.name === "address").length > 1) {
    return forbidden(`"${name}" takes one address; write the rest as name=value.`);
  }
  if (!isPlainHost(givenFor(args, "address"))) {
    return write(
      `Where "${name}" goes is not written out, or too long, and could carry data away.`,
    );
  }
  const count = numberOf(args, "count");
  if (count === null || count < 1 || count > 100) {
    return write(`"${name}" goes on until it is stopped; add count=4 (100 at most).`);
  }
  return read(`Sends ${count} probes; changes nothing.`);
};

const oddArgument = (rule: GlobalRule, args: readonly Argument[]): Verdict | null => {
  const positional = args.filter((arg) => arg.name === null);
  if (positional.some((arg) => arg.value?.kind === "operator")) {
    return forbidden(`":${rule.name}" takes a calculation in ( ).`);
  }
  if (positional.length > rule.positionals) {
    return forbidden(`":${rule.name}" is followed by more than it takes; part commands with ";".`);
  }
  const twice = givenTwice(args) ?? sameAsPositional(positional, args);
  if (twice !== null) {
    return forbidden(`":${rule.name}" is given "${twice}" twice; give it once.`);
  }
  const odd = args.find((arg) => arg.name !== null && !rule.named.has(arg.name));
  if (odd === undefined) {
    return null;
  }
  return forbidden(
    `":${rule.name}" is not known here with "${odd.name}"; write it in full or leave it out.`,
  );
};

/** The first value's name, when that is given beside it. */
const sameAsPositional = (
  positional: readonly Argument[],
  args: readonly Argument[],
): string | null => {
  const name = args.find((arg) => firstValues.has(arg.name ?? ""))?.name;
  return positional.length > 0 ? (name ?? null) : null;
};

const firstValues = new Set([
  "address",
  "domain-name",
  "delay-time",
  "condition",
  "message",
  "value",
]);

/** A positional value, or the named one. */
const givenFor = (args: readonly Argument[], name: string): Part | null => {
  const arg = args.find((each) => each.name === name) ?? args.find((each) => each.name === null);
  return arg?.value ?? null;
};

const textOf = (value: Part | null): string | null => {
  if (value?.kind === "word") {
    return value.text;
  }
  return value?.kind === "string" && value.parts.length === 0 ? value.text : null;
};

/** A host written out, and too short to carry much away in its name. */
const isPlainHost = (value: Part | null): boolean => {
  const host = textOf(value);
  if (host === null || host === "" || host.length > 63) {
    return false;
  }
  return host.split(".").every((label) => label.length <= 39);
};

const numberOf = (args: readonly Argument[], name: string): number | null => {
  const text = textOf(args.find((arg) => arg.name === name)?.value ?? null);
  if (text === null || text === "" || text.length > 9) {
    return null;
  }
  return [...text].every((char) => char >= "0" && char <= "9") ? Number(text) : null;
};

const isShort = (value: Part | null): boolean => {
  const text = textOf(value) ?? "";
  const digits = text.endsWith("ms")
    ? text.slice(0, -2)
    : text.endsWith("s")
      ? text.slice(0, -1)
      : text;
  const most = text.endsWith("ms") ? 10_000 : 10;
  return digits !== "" && digits.length < 6 && Number(digits) <= most;
};

const isBounded = (args: readonly Argument[]): boolean => {
  const from = numberOf(args, "from");
  const to = numberOf(args, "to");
  const stepped = args.some((arg) => arg.name === "step");
  return from !== null && to !== null && !stepped && Math.abs(to - from) <= 10_000;
};

const setsVariables = new Set(["set", "global", "local"]);

const endless = write("It may go on without an end; use :foreach over a list.");

const notFromHere = (name: string) => `":${name}" is not done from here; do it yourself in WinBox.`;

const whyNot: ReadonlyMap<string, string> = new Map([
  ["execute", '":execute" runs a text as commands; write the commands themselves.'],
  ["parse", '":parse" makes commands of a text; write the commands themselves.'],
  ["import", '"import" runs a file that cannot be read here; write the commands themselves.'],
  ["environment", "Global variables can hold secrets, this relay's own among them."],
  ["undo", '"undo" takes back whatever came last, whoever did it; write the change that you want.'],
  [
    "redo",
    '"redo" repeats whatever was taken back, whoever did it; write the change that you want.',
  ],
  ["password", "The password is changed by yourself only."],
]);

const whyWrite: ReadonlyMap<string, string> = new Map([
  ["set", '":set" changes a variable.'],
  ["global", '":global" makes or opens a variable that outlives this command; use :local.'],
  ["while", '":while" may go on without an end; use :foreach over a list.'],
  ["retry", '":retry" repeats commands.'],
  ["log", '":log" writes to the log.'],
  ["beep", '":beep" makes a noise.'],
]);

const pingNames = new Set(
  "address count size src-address interface vrf ttl routing-table do-not-fragment arp-ping dscp use-dns timeout protocol port".split(
    " ",
  ),
);
