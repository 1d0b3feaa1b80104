import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { messageJson, streamText } from "./answers.ts";
import { UPSTREAM_KEY } from "./peers/peer.ts";
import { verify } from "./verify.ts";

type Answers = {
  json: string;
  stream: (deltas: number) => string;
  key: string;
  body: Buffer | null;
};

const RIGHT: Answers = { json: messageJson(), stream: streamText, key: UPSTREAM_KEY, body: null };

/** Verifies a server and upstream in one that answer like this. */
async function verdict(context: TestContext, answers: Answers, rebuildsBodies = false) {
  const server = createServer(async (request, response) => {
    const sent = Buffer.concat(await request.toArray());
    const kind = String(request.headers["x-bench"]);
    const digest = createHash("sha256")
      .update(answers.body ?? sent)
      .digest("hex");
    const paced = /^paced-(\d+)$/.exec(kind)?.[1];
    if (kind === "json") {
      response.end(answers.json);
    } else if (kind === "digest") {
      response.end(messageJson(`${digest} ${answers.key}`));
    } else {
      response.end(answers.stream(Number(paced ?? 5)));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  context.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  return verify({ port, headers: {}, rebuildsBodies });
}

test("a server that passes everything on is fit to be measured", async (context) => {
  await verdict(context, RIGHT);
});

test("a server that loses an event is not measured", async (context) => {
  const stream = (deltas: number) => streamText(deltas - 1);
  await assert.rejects(verdict(context, { ...RIGHT, stream }), /changed on the way/);
});

test("a server that sends other bytes upstream is not measured", async (context) => {
  const body = Buffer.from("{}");
  await assert.rejects(verdict(context, { ...RIGHT, body }), /other bytes/);
});

test("a server that does not swap the key is not measured", async (context) => {
  await assert.rejects(verdict(context, { ...RIGHT, key: "sk-caller" }), /its own key/);
});

test("a rebuilt answer may differ in spelling only where that was said beforehand", async (context) => {
  const json = JSON.stringify(JSON.parse(messageJson()), null, 1);
  await verdict(context, { ...RIGHT, json }, true);
  await assert.rejects(verdict(context, { ...RIGHT, json }), /changed on the way/);
});
