/** POST /v1/fetch: the door, its limits and its rows. What the fetch itself does is tested beside it. */
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import type { Page, PageRequest } from "../packages/server/src/pipeline/page-ports.ts";
import { Refusal } from "../packages/server/src/pipeline/refusal.ts";
import { open } from "./harness/http.ts";
import { type Answer, type InsideRelay, startInside } from "./harness/inside.ts";
import { assertAppRefused, badToken, invalid, type Refused } from "./harness/refused.ts";

const page: Page = {
  status: 200,
  finalUrl: "https://example.com/there",
  truncated: true,
  html: "<p>Grüße 🦊\u2028</p>",
  contentType: "text/html; charset=utf-8",
};

let relay: InsideRelay;
let key: string;
/** What the web was asked for. */
let asked: PageRequest[] = [];
/** What it answers. */
let web: (request: PageRequest) => Promise<Page>;

before(async () => {
  const env = { FETCH_PER_KEY_RPM: "1000000", PER_KEY_RPM: "1" };
  relay = await startInside({
    env,
    fetchPage: (request) => {
      asked.push(request);
      return web(request);
    },
  });
  key = await relay.mint();
});
after(() => relay.remove());
beforeEach(() => {
  asked = [];
  web = async () => page;
});

const url = "https://example.com/?q=SECRET-77";
const post = (body: unknown, headers: Record<string, string> = {}, token = key): Promise<Answer> =>
  relay.call("/v1/fetch", { method: "POST", token, headers, body });

const rows = async () => (await relay.admin("/admin/usage/requests?limit=1000")).body.data;
const rowOf = async (id: string) =>
  (await rows()).find((row: { id: string }) => row.id === id) ?? assert.fail("no row");

describe("a page fetch", () => {
  it("is answered with the page, and asks the web for what was wanted by default", async () => {
    const answer = await post({ url });
    assert.equal(answer.status, 200, answer.text);
    const { request_id, ...rest } = answer.body;
    assert.deepEqual(rest, {
      ok: true,
      status: 200,
      final_url: page.finalUrl,
      content_type: page.contentType,
      truncated: true,
      html: page.html,
    });
    assert.equal(answer.headers.get("request-id"), request_id);
    assert.match(answer.headers.get("content-type") ?? "", /^application\/json/);
    const [{ signal: _, ...request } = assert.fail()] = asked;
    const callerKey = "app_key:my-app";
    assert.deepEqual(request, { url, maxBytes: 500_000, strip: true, format: "html", callerKey });
  });

  it("passes every field on, to its limits", async () => {
    for (const [max_bytes, strip, format] of [
      [1, false, "text"],
      [2_000_000, true, "markdown"],
      [5, false, "html"],
    ] as const) {
      asked = [];
      assert.equal((await post({ url, max_bytes, strip, format })).status, 200);
      const [{ signal: _, ...request } = assert.fail()] = asked;
      const callerKey = "app_key:my-app";
      assert.deepEqual(request, { url, maxBytes: max_bytes, strip, format, callerKey });
    }
  });

  it("tells the page's own status, a page without a type, and a page of 2 MB", async () => {
    const html = "ä".repeat(1_000_000);
    web = async () => ({ ...page, status: 503, contentType: null, html, truncated: false });
    const { status, body } = await post({ url });
    assert.deepEqual(
      [status, body.ok, body.status, body.content_type, body.truncated],
      [200, true, 503, null, false],
    );
    assert.equal(body.html, html);
  });

  it("leaves one free row, and neither row nor log says which page it was", async () => {
    const { body } = await post({ url });
    const row = await rowOf(body.request_id);
    assert.deepEqual(
      [row.operation, row.app_key, row.status, row.accuracy, row.ending, row.model, row.stream],
      ["fetch", "my-app", 200, "free", "complete", null, false],
    );
    assert.equal(row.cost_micro_usd, 0);
    const audit = await relay.admin("/admin/audit?limit=1000");
    const all = JSON.stringify(await rows()) + relay.logs.join("\n") + audit.text;
    assert.doesNotMatch(all, /SECRET-77|example\.com/);
  });

  it("is for devices too", async () => {
    assert.equal((await post({ url }, {}, await relay.bootstrap())).status, 200);
  });
});

describe("a page fetch that is refused", () => {
  const refused = async (body: unknown, wanted: Refused, headers = {}, token = key) => {
    assertAppRefused(await post(body, headers, token), wanted);
    assert.deepEqual(asked, [], "the web was asked");
  };

  it("is told which field, and what it must be", async () => {
    const table: [unknown, RegExp][] = [
      [{}, /url: /],
      [{ url: "" }, /url: /],
      [{ url: 5 }, /url: /],
      [{ url: [url] }, /url: /],
      [{ url: `https://a.test/${"x".repeat(8192)}` }, /url: /],
      [{ url, max_bytes: 0 }, /max_bytes: /],
      [{ url, max_bytes: 2_000_001 }, /max_bytes: /],
      [{ url, max_bytes: "5" }, /max_bytes: /],
      [{ url, strip: "yes" }, /strip: /],
      [{ url, format: "pdf" }, /format: /],
      [{ url, headers: { cookie: "x" } }, /headers: unknown field/],
      [`{"url":"${url}","__proto__":{"strip":false}}`, /__proto__: unknown field/],
      ["[]", /object/],
      ["", /empty/],
      ['{"url":', /valid JSON/],
      [Buffer.from('{"url":"\xe4"}', "latin1"), /valid JSON/],
      [`${"[".repeat(30_000)}${"]".repeat(30_000)}`, /body: nests too deep/],
    ];
    for (const [body, says] of table) {
      await refused(body, invalid(says));
    }
  });

  it("is of another type, or too large", async () => {
    const type = { status: 415, type: "invalid_request_error", says: /content-type/ };
    await refused(JSON.stringify({ url }), type, { "content-type": "text/plain" });
    const large = { status: 413, type: "request_too_large", says: /larger than 65536 bytes/ };
    await refused(`{"url":"${url}"${" ".repeat(65_536)}}`, large);
  });

  it("has no good credential", async () => {
    await refused({ url }, badToken(/mistyped or cut short/), {}, "crk_nonsense");
  });
});

describe("a page that cannot be had", () => {
  it("is told by what the fetch says of it, in the one shape, and its row says the same", async () => {
    const table: [Refusal, number, string][] = [
      [new Refusal("invalid_request", "url: not a public address."), 400, "invalid_request_error"],
      [new Refusal("upstream_unreachable", "The page gave no answer."), 502, "api_error"],
      [new Refusal("upstream_timeout", "The page took too long."), 504, "timeout_error"],
    ];
    for (const [refusal, status, type] of table) {
      web = () => Promise.reject(refusal);
      const answer = await post({ url });
      assertAppRefused(answer, { status, type, says: new RegExp(`^${refusal.message}$`) });
      const row = await rowOf(answer.body.request_id);
      assert.deepEqual([row.status, row.error_type, row.accuracy], [status, type, "free"]);
    }
  });

  it("because too many are fetched at once is a 429 with the wait", async () => {
    web = () => Promise.reject(new Refusal("rate_limited", "Too many.", { retryAfterSeconds: 2 }));
    const answer = await post({ url });
    assertAppRefused(answer, { status: 429, type: "rate_limit_error", says: /Too many/ });
    assert.equal(answer.headers.get("retry-after"), "2");
  });

  it("because of a bug of ours tells nothing of our insides, and the log does", async () => {
    web = () => Promise.reject(new TypeError("cannot read INSIDE-5"));
    const answer = await post({ url });
    assertAppRefused(answer, { status: 500, type: "api_error", says: /^The relay failed\./ });
    assert.ok(relay.logs.some((line) => line.includes("INSIDE-5")));
  });

  it("because the caller left is given up at once, and its row says so", async () => {
    const aborted = Promise.withResolvers<string>();
    const begun = Promise.withResolvers<void>();
    web = ({ signal }) =>
      new Promise((_, reject) => {
        signal.addEventListener("abort", () => {
          aborted.resolve(String(signal.reason));
          reject(signal.reason);
        });
        begun.resolve();
      });
    const before = (await rows()).length;
    const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
    const call = open(relay.url, { path: "/v1/fetch", headers, body: { url } });
    await begun.promise;
    call.destroy();
    assert.match(await aborted.promise, /the caller left/);
    let all = await rows();
    while (all.length === before) {
      all = await rows();
    }
    const left = all.filter((row: { ending: string }) => row.ending === "client_left");
    assert.deepEqual(
      left.map((row: Record<string, unknown>) => [row["status"], row["operation"]]),
      [[499, "fetch"]],
    );
    assert.ok(!relay.logs.some((line) => line.includes("the caller left")), "that is no fault");
  });
});

it("the real fetch stands behind the door: no private address is reached, by a name or a number", async (t) => {
  const real = await startInside({ env: { FETCH_PER_KEY_RPM: "1000" } });
  t.after(() => real.remove());
  const token = await real.mint();
  for (const target of [
    `http://127.0.0.1:${real.port}/health`,
    "http://127.0.0.1/",
    "http://localhost/",
    "http://[::1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://2130706433/",
    "http://0x7f.1/",
    "http://169.254.169.254/latest/meta-data/",
    "http://10.0.0.1/",
    "file:///etc/passwd",
    "https://user:pass@example.com/",
    "not a url",
  ]) {
    const answer = await real.call("/v1/fetch", { token, body: { url: target } });
    assertAppRefused(answer, invalid(/^url: /));
  }
});
