import { errorEnvelope } from "./api-error.ts";
import { eventText, type StreamEvent } from "./events.ts";
import type { Cut, Plan } from "./scenario.ts";

/** What is done to the connection, one after the other; the end of the row ends the answer properly. */
export type Step =
  | { readonly do: "send"; readonly bytes: string | Buffer; readonly outputTokens: number }
  | { readonly do: "wait"; readonly ms: number }
  | { readonly do: "stall" }
  /** Sends an `error` event, then ends. */
  | { readonly do: "fail"; readonly bytes: string }
  /** Sends `bytes` to the last one, then breaks off. */
  | { readonly do: "cut"; readonly how: Cut["how"]; readonly bytes: Buffer };

/** The steps of a streamed answer: its events, and what the plan does to them. */
export const streamSteps = (
  events: Iterable<StreamEvent>,
  plan: Plan,
  requestId: string,
): Iterable<Step> => {
  const steps = faultySteps(events, plan, requestId);
  if (plan.splitBytes !== null) {
    return splitSteps(steps, Math.max(1, plan.splitBytes));
  }
  return plan.fast ? joinedSteps(steps) : steps;
};

function* faultySteps(
  events: Iterable<StreamEvent>,
  plan: Plan,
  requestId: string,
): Generator<Step> {
  let sent = 0;
  let deltas = 0;
  if (plan.slowFirstEventMs > 0) {
    yield { do: "wait", ms: plan.slowFirstEventMs };
  }
  for (const event of events) {
    const interruption = interruptionAt(event, sent, plan, requestId);
    if (interruption !== null) {
      yield interruption;
      return;
    }
    const isDelta = event.name === "content_block_delta";
    const ms = pauseBefore(sent, isDelta, deltas, plan);
    if (ms > 0) {
      yield { do: "wait", ms };
    }
    yield { do: "send", bytes: eventText(event), outputTokens: event.outputTokens };
    sent += 1;
    deltas += isDelta ? 1 : 0;
  }
}

/** What stops the stream before this event. A stream too short for its fault has it before its last event. */
const interruptionAt = (
  event: StreamEvent,
  sent: number,
  plan: Plan,
  requestId: string,
): Step | null => {
  const isLast = event.name === "message_stop";
  const isDue = (after: number | null) => after !== null && (sent >= after || isLast);
  if (isDue(plan.stallAfterEvents)) {
    return { do: "stall" };
  }
  if (isDue(plan.errorAfterEvents)) {
    const data = errorEnvelope("overloaded_error", "Overloaded", requestId);
    return { do: "fail", bytes: eventText({ name: "error", data }) };
  }
  if (plan.cut === null) {
    return null;
  }
  const bytes = Buffer.from(eventText(event));
  const hasCharacter = bytes.some(isContinuation);
  const isCutDue =
    plan.cut.within === "character" ? hasCharacter || isLast : isDue(plan.cut.afterEvents);
  return isCutDue ? { do: "cut", how: plan.cut.how, bytes: cutBytes(bytes, plan.cut) } : null;
};

const pauseBefore = (sent: number, isDelta: boolean, deltas: number, plan: Plan): number => {
  const everyEvent = sent > 0 ? plan.pauseMs : 0;
  const everyDelta = isDelta && deltas > 0 ? plan.deltaPauseMs : 0;
  const firstDelta = isDelta && deltas === 0 ? plan.thinkingSilenceMs : 0;
  return everyEvent + everyDelta + firstDelta;
};

/** The steps of a JSON answer; of the faults between events only those with a meaning here. */
export function* jsonSteps(
  pieces: Iterable<string>,
  plan: Plan,
  outputTokens: number,
): Generator<Step> {
  const ms = plan.pauseMs + plan.thinkingSilenceMs;
  if (ms > 0) {
    yield { do: "wait", ms };
  }
  for (const piece of pieces) {
    if (plan.cut !== null) {
      const within = plan.cut.within === "character" ? "character" : "event";
      yield {
        do: "cut",
        how: plan.cut.how,
        bytes: cutBytes(Buffer.from(piece), { ...plan.cut, within }),
      };
      return;
    }
    yield { do: "send", bytes: piece, outputTokens };
  }
}

/** What of an event is still sent. */
const cutBytes = (bytes: Buffer, { within }: Cut): Buffer => {
  if (within === "nothing") {
    return bytes.subarray(0, 0);
  }
  const continuation = within === "character" ? bytes.findIndex(isContinuation) : -1;
  return bytes.subarray(0, continuation < 0 ? bytes.length >> 1 : continuation);
};

/** A byte that continues a character of several: a text cut before it is no valid UTF-8. */
const isContinuation = (byte: number): boolean => (byte & 0xc0) === 0x80;

function* splitSteps(steps: Iterable<Step>, size: number): Generator<Step> {
  for (const step of steps) {
    if (step.do !== "send") {
      yield step;
      continue;
    }
    const bytes = Buffer.from(step.bytes as string);
    for (let at = 0; at < bytes.length; at += size) {
      yield { ...step, bytes: bytes.subarray(at, at + size) };
      // A turn of the event loop between two writes keeps them apart on the wire.
      yield { do: "wait", ms: 0 };
    }
  }
}

const largestJoin = 64 * 1024;

function* joinedSteps(steps: Iterable<Step>): Generator<Step> {
  let joined = "";
  let outputTokens = 0;
  for (const step of steps) {
    if (step.do === "send") {
      joined += step.bytes;
      outputTokens = step.outputTokens;
    }
    if (joined !== "" && (step.do !== "send" || joined.length > largestJoin)) {
      yield { do: "send", bytes: joined, outputTokens };
      joined = "";
    }
    if (step.do !== "send") {
      yield step;
    }
  }
  if (joined !== "") {
    yield { do: "send", bytes: joined, outputTokens };
  }
}
