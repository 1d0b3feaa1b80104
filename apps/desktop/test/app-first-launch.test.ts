/** The packaged app, from its first launch to an answer and back again. */
import assert from "node:assert/strict";
import { globSync, readFileSync, statSync } from "node:fs";
import { describe, it } from "node:test";
import type { Desk } from "./harness/desk.ts";
import { desktopMissing } from "./harness/missing.ts";
import { connect, setScene } from "./harness/scene.ts";

const token = /eyJ[\w-]{10,}\.[\w-]{10,}/;

/** Every file below the home folder that holds the words. */
const filesWith = (desk: Desk, words: string | RegExp): string[] =>
  globSync(`${desk.home}/**/*`).filter((path) => {
    if (!statSync(path, { throwIfNoEntry: false })?.isFile()) {
      return false;
    }
    return readFileSync(path, "latin1").search(words) >= 0;
  });

const seedLines = [
  "Bootstrapping proxy configuration...",
  "Proxy token bootstrapped successfully",
  "Proxy is healthy and ready",
  "Starting proxy token refresh service",
];

describe("the desktop app", { skip: desktopMissing }, () => {
  it("asks for the relay's address, says the four lines, and chats word by word", async (t) => {
    const { relay, upstream, open, look } = await setScene(t);
    const app = await open();
    const { page } = app;
    await page.shows("welcome");
    await look(app, "first-launch");
    await connect(app, relay.url);
    for (const line of seedLines) {
      assert.ok(app.log().includes(line), `${line}\n${app.log()}`);
    }
    await look(app, "connected");

    await page.type("composer", "What is a relay?");
    await page.click("send");
    const question = await upstream.asked();
    assert.match(JSON.stringify(question.body.messages.at(-1)), /What is a relay\?/);
    question.say("A relay **carries** a message ");
    await page.shows("answer", /^A relay carries a message/);
    assert.equal(await page.has("stop"), true);
    await look(app, "streaming");
    question.say("onwards.\n\n```ts\nconst relay = (message: string) => send(message);\n```\n");
    question.finish();
    await page.shows("code-block", /const relay/);
    await page.gone("stop");
    await look(app, "answered");
  });

  it("stops an answer, and frees it at Anthropic", async (t) => {
    const { relay, upstream, open, look } = await setScene(t);
    const app = await open();
    const { page } = app;
    await connect(app, relay.url);
    await page.type("composer", "Count for ever");
    await page.click("send");
    const question = await upstream.asked();
    question.say("1, 2, 3, ");
    await page.shows("answer", /1, 2, 3/);
    await page.click("stop");
    await question.left;
    await page.shows("answer", /You stopped this answer/);
    await look(app, "stopped");

    await page.click("retry");
    const again = await upstream.asked();
    again.say("That is all.");
    again.finish();
    await page.shows("answer", /^That is all\./);
  });

  it("closed in the middle of an answer, frees it and keeps what came", async (t) => {
    const { relay, upstream, open } = await setScene(t);
    const first = await open();
    await connect(first, relay.url);
    await first.page.type("composer", "Tell me a long story");
    await first.page.click("send");
    const question = await upstream.asked();
    question.say("Once upon a time");
    await first.page.shows("answer", /Once upon a time/);
    await first.close();
    await question.left;

    const second = await open();
    await second.page.click("open-conversation");
    await second.page.shows("answer", /^Once upon a time/);
    assert.equal(await second.page.has("stop"), false);
  });

  it("knows relay and conversations at its next start; the disk tells nobody else", async (t) => {
    const { desk, relay, upstream, open, look } = await setScene(t);
    const first = await open();
    await connect(first, relay.url);
    await first.page.type("composer", "My cat is called Borborygmus.");
    await first.page.click("send");
    const question = await upstream.asked();
    question.say("A fine name: Borborygmus.");
    question.finish();
    await first.page.shows("answer", /A fine name/);
    await first.page.gone("stop");
    await first.close();
    assert.deepEqual(filesWith(desk, /Borborygmus/), []);
    assert.deepEqual(filesWith(desk, token), []);
    assert.doesNotMatch(first.log(), token);

    const second = await open();
    await second.page.shows("composer");
    await second.page.click("open-conversation");
    await second.page.shows("answer", /A fine name: Borborygmus/);
    await second.logged(/Starting proxy token refresh service/);
    assert.doesNotMatch(second.log(), /Bootstrapping/);
    await look(second, "second-start");
  });

  it("never lets the token into the window", async (t) => {
    const { relay, upstream, open } = await setScene(t);
    const app = await open();
    await connect(app, relay.url);
    await app.page.type("composer", "Hello");
    await app.page.click("send");
    const question = await upstream.asked();
    question.say("Hello!");
    question.finish();
    await app.page.gone("stop");
    const everything = await app.page.run<string>(`
      const databases = await indexedDB.databases();
      return JSON.stringify([document.documentElement.outerHTML, { ...localStorage },
        { ...sessionStorage }, document.cookie, databases]);
    `);
    assert.doesNotMatch(everything, token);
    assert.deepEqual(JSON.parse(everything).slice(1), [{}, {}, "", []]);
    const state = await app.page.call("state.get");
    assert.match(JSON.stringify(state), /"ready"/);
    assert.doesNotMatch(JSON.stringify(state), token);
  });

  it("without a keychain keeps its sign-in in memory, says so, and bootstraps anew", async (t) => {
    const { desk, relay, upstream, open, look } = await setScene(t, { keychain: false });
    const first = await open();
    await connect(first, relay.url);
    await first.page.shows("banner-notice", /No system keychain/);
    await look(first, "no-keychain");
    await first.page.type("composer", "Remember Borborygmus.");
    await first.page.click("send");
    const question = await upstream.asked();
    question.finish();
    await first.page.gone("stop");
    await first.close();
    assert.deepEqual(filesWith(desk, token), []);
    assert.deepEqual(filesWith(desk, /Borborygmus/), []);

    const second = await open();
    await second.page.shows("composer");
    assert.match(second.log(), /Bootstrapping proxy configuration/);
    assert.equal(await second.page.has("open-conversation"), false);
  });
});
