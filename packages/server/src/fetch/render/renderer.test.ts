import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { Refusal } from "../../pipeline/refusal.ts";
import type { RenderJob } from "./render-page.ts";
import { Renderer, type RendererOptions } from "./renderer.ts";

const start = (t: TestContext, options: Partial<RendererOptions> = {}): Renderer => {
  const renderer = new Renderer({
    threads: 1,
    renderMs: 60_000,
    memoryMb: 256,
    idleMs: 60_000,
    ...options,
  });
  t.after(() => renderer.close());
  return renderer;
};

const job = (html: string): RenderJob => ({
  bytes: new TextEncoder().encode(html),
  kind: "html",
  charset: null,
  url: "https://example.com/",
  format: "markdown",
  strip: true,
  maxBytes: 1_000_000,
});

/** Costs turndown seconds. */
const slow = `<ol>${"<li><b>x</b>".repeat(45_000)}</ol>`;
const still = () => new AbortController().signal;

const tooComplex = (error: unknown) =>
  error instanceof Refusal &&
  error.code === "upstream_unreachable" &&
  error.message.includes("complex");

describe("the renderer", () => {
  it("renders page after page in one thread, and in no more threads than allowed", async (t) => {
    const renderer = start(t);
    for (const word of ["one", "two", "three"]) {
      assert.deepEqual(await renderer.render(job(word), still()), { text: word, truncated: false });
    }
    assert.equal(renderer.threads, 1);
    const many = ["a", "b", "c", "d"].map((word) => renderer.render(job(word), still()));
    assert.equal(renderer.threads, 1);
    assert.deepEqual(
      (await Promise.all(many)).map(({ text }) => text),
      ["a", "b", "c", "d"],
    );
  });

  it("leaves this thread free while it works", async (t) => {
    const renderer = start(t);
    let done = false;
    const rendered = renderer.render(job(slow), still()).finally(() => {
      done = true;
    });
    await new Promise((turn) => setImmediate(turn));
    assert.equal(done, false);
    await rendered;
  });

  it("kills a page that takes too long, and takes the next", async (t) => {
    const renderer = start(t, { renderMs: 1 });
    await assert.rejects(renderer.render(job(slow), still()), tooComplex);
    const patient = start(t);
    assert.equal((await patient.render(job("next"), still())).text, "next");
  });

  it("kills the thread of a caller that leaves, and serves those who wait", async (t) => {
    const renderer = start(t);
    const caller = new AbortController();
    const left = renderer.render(job(slow), caller.signal);
    const waits = renderer.render(job("waits"), still());
    caller.abort(new Error("left"));
    await assert.rejects(left, /left/);
    assert.equal((await waits).text, "waits");
  });

  it("lets a caller leave who still waits", async (t) => {
    const renderer = start(t);
    const first = renderer.render(job(slow), still());
    const caller = new AbortController();
    const waits = renderer.render(job("x"), caller.signal);
    caller.abort(new Error("left"));
    await assert.rejects(waits, /left/);
    assert.ok((await first).text.startsWith("1. **x**"));
  });

  it("survives a page that costs all its memory", async (t) => {
    const renderer = start(t, { memoryMb: 24 });
    await assert.rejects(renderer.render(job(slow), still()), tooComplex);
    assert.equal((await renderer.render(job("next"), still())).text, "next");
  });

  it("ends idle threads, and all of them when closed", async (t) => {
    const renderer = start(t, { idleMs: 1 });
    await renderer.render(job("x"), still());
    while (renderer.threads > 0) {
      await new Promise((turn) => setImmediate(turn));
    }
    const running = renderer.render(job(slow), still());
    const refused = assert.rejects(running);
    await renderer.close();
    await refused;
    assert.equal(renderer.threads, 0);
    await assert.rejects(renderer.render(job("x"), still()), /closed/);
  });
});
