/** Checks, before anything is timed, that a server really does the work: nobody wins by being wrong. */

import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { messageJson, streamText } from "./answers.ts";
import { sessionBody, shortBody } from "./bodies.ts";
import { UPSTREAM_KEY } from "./peers/peer.ts";
import { type Question, requestHeaders } from "./requests.ts";

export type Subject = Readonly<{
  port: number;
  headers: Readonly<Record<string, string>>;
  rebuildsBodies: boolean;
}>;

/** Throws, saying what was wrong, unless answers and bodies pass the server unchanged. */
export async function verify(subject: Subject): Promise<void> {
  const json = await ask(subject, { answer: "json", body: shortBody(false) });
  same("the JSON answer", json, messageJson(), subject.rebuildsBodies);
  for (const deltas of [5, 20]) {
    const answer = deltas === 5 ? "sse" : `paced-${deltas}`;
    const stream = await ask(subject, { answer, body: shortBody(true) });
    same(`the stream of ${deltas} deltas`, stream, streamText(deltas), false);
  }
  for (const body of [shortBody(false), sessionBody(200_000), sessionBody(1024 * 1024)]) {
    await verifyForwarded(subject, body);
  }
}

/** The upstream answers with the digest of the body and the key that reached it. */
async function verifyForwarded(subject: Subject, body: Buffer): Promise<void> {
  const answer = await ask(subject, { answer: "digest", body });
  const [digest, key] = messageText(answer).split(" ");
  if (key !== UPSTREAM_KEY) {
    throw new Error("upstream did not receive its own key");
  }
  if (subject.rebuildsBodies) {
    return;
  }
  if (digest !== createHash("sha256").update(body).digest("hex")) {
    throw new Error(`upstream received other bytes than the ${body.length} sent`);
  }
}

function messageText(answer: string): string {
  const message = JSON.parse(answer) as { content?: { text?: string }[] };
  return message.content?.[0]?.text ?? "";
}

async function ask(subject: Subject, question: Question): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${subject.port}/v1/messages`, {
    method: "POST",
    headers: requestHeaders(question, subject.headers),
    body: question.body,
    signal: AbortSignal.timeout(10_000),
  });
  const text = await response.text();
  if (response.status !== 200) {
    throw new Error(`status ${response.status}: ${text.slice(0, 300)}`);
  }
  return text;
}

function same(what: string, got: string, expected: string, byMeaning: boolean): void {
  if (got === expected) {
    return;
  }
  if (byMeaning && isDeepStrictEqual(JSON.parse(got), JSON.parse(expected))) {
    return;
  }
  throw new Error(`${what} was changed on the way: ${JSON.stringify(got.slice(0, 300))}`);
}
