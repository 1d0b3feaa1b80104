import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  OverloadedError,
  RelayConnectionError,
  RelayTimeoutError,
  UnexpectedAnswerError,
} from "./index.ts";
import {
  cut,
  done,
  errorBody,
  event,
  hang,
  page,
  refusal,
  stream,
  usage,
} from "./testing/relay-double.ts";
import { withDouble } from "./testing/with-double.ts";

const { relay, client } = withDouble();
const piece = (text: string): string => event("text", { text });
const ping = event("ping", {});

const piecesOf = async (stream: AsyncIterable<string>): Promise<string[]> => {
  const pieces: string[] = [];
  for await (const one of stream) {
    pieces.push(one);
  }
  return pieces;
};

describe("streamComplete", () => {
  it("gives the pieces as they come, and at the end what they took", async () => {
    relay().replies(stream([ping, piece("Hel"), ping, piece("lo"), done()]));
    const answer = client().streamComplete({ prompt: "p", system: "s" });
    assert.deepEqual(await piecesOf(answer), ["Hel", "lo"]);
    assert.deepEqual(await answer.final(), {
      text: "Hello",
      usage: {
        inputTokens: usage.input_tokens,
        outputTokens: usage.output_tokens,
        cacheReadInputTokens: usage.cache_read_input_tokens,
        cacheCreationInputTokens: usage.cache_creation_input_tokens,
      },
      stopReason: "end_turn",
      model: "opus",
      modelId: "claude-opus-5-5",
      requestId: "req_1",
      durationMs: 12,
    });
    assert.deepEqual(relay().asked[0]?.body, { prompt: "p", system: "s", stream: true });
    assert.equal(relay().asked[0]?.headers.accept, "text/event-stream");
  });

  it("gives a piece before the next one is sent", async () => {
    let more: () => void = () => assert.fail("not asked yet");
    relay().replies(
      stream([piece("first")], (response) => {
        more = () => response.end(piece("second") + done());
      }),
    );
    const pieces = client().streamComplete({ prompt: "p" })[Symbol.asyncIterator]();
    assert.equal((await pieces.next()).value, "first");
    more();
    assert.equal((await pieces.next()).value, "second");
    assert.equal((await pieces.next()).done, true);
  });

  it("reads the stream by itself for final()", async () => {
    relay().replies(stream([piece("a"), piece("b"), done({ result: { a: 1 } })]));
    const options = { prompt: "p", outputFormat: "json" } as const;
    const { text, result } = await client().streamComplete(options).final();
    assert.equal(text, "ab");
    assert.deepEqual(result, { a: 1 });
    assert.equal(relay().asked[0]?.body.output_format, "json");
  });

  it("sends nothing until it is read, and can be read only once", async () => {
    relay().replies(stream([piece("a"), done()]));
    const answer = client().streamComplete({ prompt: "p" });
    await client().streamComplete({ prompt: "p" }).final();
    assert.equal(relay().asked.length, 1);
    await answer.final();
    await assert.rejects(piecesOf(answer), /only once/);
    assert.equal((await answer.final()).text, "a");
    assert.equal(relay().asked.length, 2);
  });

  it("puts characters and events together that arrive byte by byte", async () => {
    const bytes = Buffer.from(ping + piece("für 🦊") + piece("日本\n") + done());
    relay().replies(stream([...bytes].map((byte) => Buffer.from([byte]))));
    const answer = client().streamComplete({ prompt: "p" });
    assert.deepEqual(await piecesOf(answer), ["für 🦊", "日本\n"]);
  });

  it("passes over events and fields nobody knows, and what follows the end", async () => {
    const odd = "id: 7\nretry: 1\n: a comment\n\nevent: news\ndata: {]\n\n";
    relay().replies(stream([odd, piece("a"), done(), piece("b"), "data: rubbish\n\n"]));
    const answer = client().streamComplete({ prompt: "p" });
    assert.equal((await answer.final()).text, "a");
  });

  it("throws an error event with its type, even as the very first event, and asks once only", async () => {
    for (const before of [[], [piece("a")]]) {
      relay().replies(stream([...before, event("error", errorBody("overloaded_error", "Busy."))]));
      await assert.rejects(client().streamComplete({ prompt: "p" }).final(), (error) => {
        assert.ok(error instanceof OverloadedError);
        assert.equal(error.message, "Busy.");
        assert.equal(error.requestId, "req_9");
        return true;
      });
      assert.equal(relay().asked.length, 1);
    }
  });

  it("never takes a stream that was cut for whole, and does not ask again", async () => {
    const cuts = [
      stream([]),
      stream([piece("a")]),
      stream([piece("a"), done().trimEnd()]),
      stream([piece("a")], cut),
      stream([piece("a"), "event: te"], cut),
    ];
    for (const reply of cuts) {
      relay().replies(reply);
      const answer = client({ retryMaybeBilled: true }).streamComplete({ prompt: "p" });
      await assert.rejects(piecesOf(answer), RelayConnectionError);
      await assert.rejects(answer.final(), RelayConnectionError);
      assert.equal(relay().asked.length, 1);
    }
  });

  it("throws at garbage", async () => {
    const garbage = [
      stream(["event: text\ndata: {\n\n"]),
      stream(["event: text\ndata: null\n\n"]),
      stream(['event: done\ndata: {"ok":false}\n\n']),
      stream(["event: error\ndata: oh\n\n"]),
      stream([Buffer.from('event: text\ndata: {"text":"\xff"}\n\n', "latin1")]),
      page(200, "<html>Are you human?</html>"),
    ];
    for (const reply of garbage) {
      relay().replies(reply);
      await assert.rejects(client().streamComplete({ prompt: "p" }).final(), UnexpectedAnswerError);
    }
  });

  it("is asked again while nothing has been streamed", async () => {
    relay().replies(refusal(503, "api_error"), stream([piece("a"), done()]));
    assert.equal((await client().streamComplete({ prompt: "p" }).final()).text, "a");
    assert.equal(relay().asked.length, 2);
  });

  it("left in the middle, ends the request, and final() says so", async () => {
    relay().replies(stream([piece("a"), piece("b")], hang));
    const answer = client().streamComplete({ prompt: "p" });
    for await (const _ of answer) {
      break;
    }
    await relay().asked[0]?.closed;
    await assert.rejects(answer.final(), /left before its end/);
  });

  it("aborted, throws the signal's reason and ends the request", async () => {
    relay().replies(stream([piece("a")], hang));
    const controller = new AbortController();
    const answer = client().streamComplete({ prompt: "p", signal: controller.signal });
    const reason = new Error("enough");
    await assert.rejects(async () => {
      for await (const _ of answer) {
        controller.abort(reason);
      }
    }, reason);
    await relay().asked[0]?.closed;
  });

  it("ends when it is silent for too long, and not when only the reader is slow", async () => {
    relay().replies(stream([piece("a"), piece("b"), ping], hang));
    const answer = client({ idleTimeoutMs: 100 }).streamComplete({ prompt: "p" });
    const pieces: string[] = [];
    await assert.rejects(
      async () => {
        for await (const one of answer) {
          pieces.push(one);
          await new Promise((resolve) => setTimeout(resolve, 150));
        }
      },
      (error) => error instanceof RelayTimeoutError && /silent for 100 ms/.test(error.message),
    );
    assert.deepEqual(pieces, ["a", "b"]);
    await relay().asked[0]?.closed;
  });

  it("ends when it does not begin in time, and pings keep it going", async () => {
    relay().replies(hang);
    await assert.rejects(
      client().streamComplete({ prompt: "p", timeoutMs: 50 }).final(),
      (error) => error instanceof RelayTimeoutError && /did not begin/.test(error.message),
    );
    relay().replies(async (response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      for (let beat = 0; beat < 8; beat += 1) {
        await new Promise((resolve) => setTimeout(resolve, 50));
        response.write(ping);
      }
      response.end(piece("late") + done());
    });
    const patient = client({ idleTimeoutMs: 300 });
    assert.equal((await patient.streamComplete({ prompt: "p" }).final()).text, "late");
  });
});
