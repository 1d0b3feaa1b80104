/** What only the whole script tells: how long it keeps the router busy, and whether its probes tell of the router. */
import { namedText, textOf } from "./arguments.ts";
import type { Argument, Part } from "./ast.ts";
import { secondsIn } from "./duration.ts";
import type { Target } from "./resolve.ts";
import { goesToAddress, isWrittenOut, secondsOfPing } from "./rules-probe.ts";
import { maxSize } from "./size.ts";
import { maxTurns, turnsOf } from "./turns.ts";
import { type Verdict, write } from "./verdict.ts";

/** Where a command stands. */
export type Surroundings = Readonly<{
  /** How often the loops around it run it. */
  turns: number;
  /** It stands in a block, or where it need not be reached. */
  doubtful: boolean;
}>;

/** What its values amount to. */
export type Values = Readonly<{
  /** About how many characters they hold. */
  size: number;
  heavyPattern: boolean;
}>;

/** Seconds a script may take without a code. */
const maxSeconds = 180;
/** Characters that all turns of a loop may build or write. */
const maxSizeInLoops = 50_000_000;
/** Turns of a loop that may show or search whole menus. */
const maxShows = 20;

export class Effort {
  #seconds = 0;
  #mayHaveEnded = false;

  judge(target: Target, around: Surroundings, values: Values): Verdict | null {
    if (values.heavyPattern) {
      return write('What follows "~" can keep the router busy for long; write out a simple one.');
    }
    if (values.size > maxSize || values.size * around.turns > maxSizeInLoops) {
      return write("It builds a text too long for the router's memory; ask for less at once.");
    }
    const busy = this.#judgeTime(target, around.turns);
    if (busy !== null || !isProbe(target)) {
      return busy;
    }
    return around.doubtful || this.#mayHaveEnded ? telling : null;
  }

  /** To be called once a command and all in it are judged. */
  passed(target: Target): void {
    this.#mayHaveEnded ||= !endsWell(target);
  }

  #judgeTime(target: Target, turns: number): Verdict | null {
    const seconds = secondsOf(target);
    this.#seconds += seconds;
    if (turns > 1 && (seconds > 0 || (turns > maxShows && shows(target)))) {
      return write("In a loop this keeps the router busy for long; ask for it once.");
    }
    if (this.#seconds > maxSeconds) {
      return write(`All of it takes longer than ${maxSeconds} seconds; ask for less at once.`);
    }
    const loop = target.kind === "global" ? turnsOf(target.rule, target.args) : 1;
    return turns > 1 && turns * (loop ?? maxTurns) > maxTurns
      ? write("Loops in one another can keep the router busy for long; use one loop.")
      : null;
  }
}

const telling = write(
  "Whether this is sent can depend on what the router holds, and so tell it to others; ask for it alone.",
);

const isProbe = (target: Target): boolean =>
  target.kind === "verb"
    ? target.verb === "ping" || target.verb === "traceroute"
    : target.kind === "global" && (target.rule.name === "ping" || target.rule.name === "resolve");

const secondsOf = (target: Target): number => {
  const { kind } = target;
  if (kind === "verb") {
    if (target.verb === "profile" || target.verbKind === "watch" || target.verb === "monitor") {
      return secondsIn(namedText(target.args, "duration")) ?? 0;
    }
    return isProbe(target) ? secondsOfPing(target.verb, target.args) : 0;
  }
  if (kind !== "global") {
    return 0;
  }
  switch (target.rule.name) {
    case "ping":
      return secondsOfPing("ping", target.args);
    case "resolve":
      return 5;
    case "delay":
      return secondsIn(textOf(target.args[0]?.value)) ?? 0;
    default:
      return 0;
  }
};

/** Whether it writes much, or waits for a measurement. */
const shows = (target: Target): boolean =>
  target.kind === "verb" &&
  (looksAtAll.has(target.verb) ||
    target.verbKind === "watch" ||
    // Without a column's name it gives the whole entry.
    (target.verb === "get" && target.args.length < 2));

const looksAtAll = new Set(["print", "export", "find"]);

/** Whether the commands after it are reached, whatever the router holds. */
const endsWell = (target: Target): boolean => {
  switch (target.kind) {
    case "verb":
      return (
        (target.verb === "print" && target.args.every(findsSomething)) ||
        (isProbe(target) && goesToAddress(target.args))
      );
    case "global":
      return steady.has(target.rule.name)
        ? target.args.every(isSteady)
        : target.rule.name === "ping" && goesToAddress(target.args);
    case "move":
    case "menu_block":
      return true;
    case "closed":
    case "unknown":
      return false;
  }
};

/** Nothing that a print could miss, and fail. */
const findsSomething = ({ name, value }: Argument): boolean => {
  if (name !== null) {
    return name !== "from" && name !== "numbers" && textOf(value) !== null;
  }
  return (
    value?.kind === "operator" || (textOf(value) !== null && !/^[*0-9]/.test(textOf(value) ?? ""))
  );
};

/** A calculation can fail, as a division by nothing does. */
const isSteady = (arg: Argument): boolean =>
  isWrittenOut([arg]) || (arg.value !== null && isSteadyPart(arg.value));

const isSteadyPart = (part: Part): boolean => {
  switch (part.kind) {
    case "string":
      return part.parts.every(isSteadyPart);
    case "group":
      return part.parts.length < 2 && part.parts.every(isSteadyPart);
    case "block":
      return false;
    default:
      return true;
  }
};

const steady = new Set(["put", "local", "delay"]);
