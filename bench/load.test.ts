import assert from "node:assert/strict";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { closedLoop, openLoop } from "./load.ts";
import { requestBytes } from "./requests.ts";

/** A server that answers like this, and a request to it. */
async function aimAt(context: TestContext, answer: RequestListener) {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  context.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  return { port, request: requestBytes(port, { answer: "json", body: Buffer.from("{}") }, {}) };
}

test("every answer of a closed loop is counted once", async (context) => {
  let served = 0;
  const aim = await aimAt(context, (_, response) => {
    served += 1;
    response.end("{}");
  });
  const { requests } = await closedLoop(aim, { concurrency: 3, ms: 50 });
  assert.equal(requests, served);
});

test("an answer that is not 200 fails the round", async (context) => {
  const aim = await aimAt(context, (_, response) => response.writeHead(503).end("no"));
  await assert.rejects(closedLoop(aim, { concurrency: 2, ms: 50 }), /status 503/);
});

test("an open loop asks on, though nothing is answered yet, and counts the wait", async (context) => {
  const held: (() => void)[] = [];
  let released = false;
  const aim = await aimAt(context, (_, response) => {
    const answer = (): void => void response.end("{}");
    if (released) {
      answer();
    } else {
      held.push(answer);
    }
    if (held.length < 60) {
      return;
    }
    released = true;
    for (const one of held.splice(0)) {
      one();
    }
  });
  const settings = { perSecond: 1_000, ms: 200, random: () => 0.63 };
  const latencies = await openLoop(aim, settings);
  assert.ok(latencies.length > 60);
});
