/** Commands that send something, or measure for a while: bounded, and with nothing of the router's in them. */
import { givenTwice, namedText, textOf, wholeNumber, wordOf } from "./arguments.ts";
import type { Argument } from "./ast.ts";
import { secondsIn } from "./duration.ts";
import { reachesMany } from "./probe-hosts.ts";
import { forbidden, read, type Verdict, write } from "./verdict.ts";

/** `/ping`, `:ping` and `/tool traceroute`. */
export const judgePing = (name: string, all: readonly Argument[]): Verdict => {
  const args = withoutFlags(all);
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
  const host = hostOf(args, "address");
  if (!isPlainHost(host)) {
    return write(
      `Where "${name}" goes is not written out, or too long, and could carry data away.`,
    );
  }
  if (!isWrittenOut(args)) {
    return write(`A value of "${name}" is not written out, and could carry data away.`);
  }
  if (reachesMany(host)) {
    return write(
      `"${name}" to ${host} may be answered by many machines at once; name one, written plainly.`,
    );
  }
  return boundedPing(name, args);
};

const boundedPing = (name: string, args: readonly Argument[]): Verdict => {
  const count = wholeNumber(namedText(args, "count"));
  if (count === null || count < 1 || count > 100) {
    return write(`"${name}" goes on until it is stopped; add count=4 (100 at most).`);
  }
  for (const [option, least, most] of limits) {
    const given = args.find((arg) => arg.name === option);
    const value = given === undefined ? least : secondsIn(textOf(given.value));
    if (value === null || value < least || value > most) {
      return write(`"${name}" without a code takes ${option}= from ${least} to ${most}.`);
    }
  }
  return read(`Sends ${count} probes; changes nothing.`);
};

export const judgeResolve = (args: readonly Argument[]): Verdict =>
  isPlainHost(hostOf(args, "domain-name")) && isWrittenOut(args)
    ? read("Looks a name up; changes nothing.")
    : write(
        "The name to look up is put together on the router, and could carry data away; write it out.",
      );

/** `/tool profile`, which watches the processor. */
export const judgeProfile = (args: readonly Argument[]): Verdict => {
  const odd = args.find((arg) => !profileNames.has(arg.name ?? textOf(arg.value) ?? ""));
  if (odd !== undefined) {
    return forbidden('"profile" is known here with duration= and cpu= only; leave the rest out.');
  }
  const seconds = secondsIn(namedText(args, "duration"));
  return seconds !== null && seconds <= 30 && isWrittenOut(args)
    ? read("Shows what the processor does; changes nothing.")
    : write('"profile" goes on until it is stopped; add duration=5s (30s at most).');
};

/** Whether nothing in it is known to the router alone. */
export const isWrittenOut = (args: readonly Argument[]): boolean =>
  args.every((arg) => textOf(arg.value) !== null);

/** The most seconds a probe takes when it is bounded, as those above are. */
export const secondsOfPing = (name: string, args: readonly Argument[]): number => {
  const count = wholeNumber(namedText(args, "count")) ?? 1;
  const [interval, timeout] = ["interval", "timeout"].map(
    (option) => secondsIn(namedText(args, option)) ?? 1,
  );
  const hops = name === "traceroute" ? (wholeNumber(namedText(args, "max-hops")) ?? usualHops) : 1;
  return count * Math.max(interval ?? 1, timeout ?? 1) * hops;
};

/** Machines lie nearer than that, also where `max-hops` is not given. */
const usualHops = 60;

/** An address, not a name: looking a name up can fail. */
export const goesToAddress = (args: readonly Argument[]): boolean =>
  /^[0-9a-fA-F:.]+$/.test(hostOf(args, "address") ?? "");

/** A positional value, or the named one. */
const hostOf = (all: readonly Argument[], name: string): string | null => {
  const args = withoutFlags(all);
  const arg = args.find((each) => each.name === name) ?? args.find((each) => each.name === null);
  return textOf(arg?.value);
};

/** `do-not-fragment` may stand without a value. */
const withoutFlags = (args: readonly Argument[]): readonly Argument[] =>
  args.filter((arg) => wordOf(arg) !== "do-not-fragment");

/** A host written out, and too short to carry much away in its name. */
const isPlainHost = (host: string | null): host is string => {
  if (host === null || host === "" || host.length > 63) {
    return false;
  }
  return host.split(".").every((label) => label.length <= 39);
};

/** Least and most; seconds, bytes or hops. */
const limits: readonly (readonly [string, number, number])[] = [
  ["interval", 0.1, 5],
  ["timeout", 0.1, 5],
  ["size", 14, 9000],
  ["max-hops", 1, 64],
];

const pingNames = new Set(
  "address count size src-address interface vrf ttl routing-table do-not-fragment arp-ping dscp use-dns timeout protocol port interval max-hops".split(
    " ",
  ),
);
const profileNames = new Set(["duration", "cpu", "as-value", "without-paging"]);
