/** The packaged app when the relay, the token or the money is not as it was. */
import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { type Relay, startRelay } from "../../../test/harness/relay.ts";
import { desktopMissing } from "./harness/missing.ts";
import { until } from "./harness/poll.ts";
import { connect, type Scene, setScene } from "./harness/scene.ts";
import { shortLivedTokens } from "./harness/short-lived-tokens.ts";
import type { WebDriver } from "./harness/webdriver.ts";

const ask = async (page: WebDriver, text: string): Promise<void> => {
  await page.type("composer", text);
  await page.click("send");
};

const answerNext = async ({ upstream }: Scene, text: string): Promise<void> => {
  const question = await upstream.asked();
  question.say(text);
  question.finish();
};

const onlyDevice = async (relay: Relay): Promise<string> =>
  (await relay.admin("/admin/devices")).body.data[0].id;

describe("the desktop app", { skip: desktopMissing }, () => {
  it("refreshes a token near its expiry in the background, while an answer streams", async (t) => {
    const scene = await setScene(t);
    const door = await shortLivedTokens(scene.relay.url, 15);
    t.after(door.close);
    const { page } = await openAt(scene, door.url);
    await ask(page, "Take your time");
    const question = await scene.upstream.asked();
    question.say("One moment");
    await page.shows("answer", /One moment/);
    await until("the token is refreshed", () => door.asked.includes("/refresh"));
    assert.equal(door.asked.filter((path) => path === "/bootstrap").length, 1);
    question.say(", and here it is.");
    question.finish();
    await page.shows("answer", /One moment, and here it is\./);
    await page.gone("stop");
    await ask(page, "And again?");
    await answerNext(scene, "With the new token.");
    await page.shows("answer", /With the new token\./);
  });

  it("says that the relay is away, and goes on by itself when it is back", async (t) => {
    const scene = await setScene(t);
    const app = await openAt(scene, scene.relay.url);
    const { page } = app;
    await ask(page, "Before");
    await answerNext(scene, "Still here.");
    await page.shows("answer", /Still here/);
    await page.gone("stop");
    await scene.relay.kill();
    await ask(page, "Is anybody there?");
    await page.shows("fault-message", /relay/);
    await page.shows("banner-offline");
    await scene.look(app, "relay-away");
    const again = await startAgain(t, scene);
    await page.gone("banner-offline");
    assert.equal(again.port, scene.relay.port);
    await page.click("retry");
    await answerNext(scene, "Here again.");
    await page.shows("answer", /^Here again\./);
  });

  it("says that its device was revoked, and how to sign in again", async (t) => {
    const scene = await setScene(t, { relay: { env: { BOOTSTRAP: "code" } } });
    const { relay } = scene;
    const mint = async (): Promise<string> =>
      (await relay.admin("/admin/enrollment-codes", { method: "POST", body: "{}" })).body
        .enrollment_code;
    const app = await scene.open();
    const { page } = app;
    await page.paste("address", `${relay.url}/#code=${await mint()}`);
    await page.click("connect");
    await page.shows("composer");
    const device = await onlyDevice(relay);
    await relay.admin(`/admin/devices/${device}/revoke-tokens`, { method: "POST", body: "{}" });
    await ask(page, "Am I still welcome?");
    await page.shows("fault", /signed out/);
    // A token is not given up in its first ten seconds.
    await until("the device is signed out", async () => {
      await page.click("retry");
      await page.gone("stop");
      await page.shows("fault");
      return page.has("banner-signed-out");
    });
    await scene.look(app, "signed-out");
    await page.click("show-welcome");
    await page.shows("welcome");
    await page.type("code", await mint());
    await page.click("connect");
    await page.shows("composer");
    await page.click("retry");
    await answerNext(scene, "Welcome back.");
    await page.shows("answer", /^Welcome back\./);
  });

  it("says which budget is used up, and when it begins anew", async (t) => {
    const scene = await setScene(t);
    const app = await openAt(scene, scene.relay.url);
    const { page } = app;
    await ask(page, "First");
    await answerNext(scene, "An answer.");
    await page.shows("answer", /An answer/);
    await page.gone("stop");
    const { status } = await scene.relay.admin("/admin/budgets", {
      method: "POST",
      body: JSON.stringify({
        scope: "device",
        scope_id: await onlyDevice(scene.relay),
        limit_tokens: 20,
        window: "day",
      }),
    });
    assert.equal(status, 201);
    await ask(page, "Second");
    await page.shows("fault", /budget is used up/i);
    await page.shows("banner-capped", /used up/);
    await scene.look(app, "capped");
  });

  it("says that Claude does not answer the relay, once the relay's breaker is open", async (t) => {
    const scene = await setScene(t);
    const app = await openAt(scene, scene.relay.url);
    const { page } = app;
    await ask(page, "Hello?");
    for (let failure = 0; failure < 5; failure += 1) {
      const question = await scene.upstream.asked();
      await page.gone("fault");
      question.refuse(529, "overloaded_error", "Overloaded");
      await page.shows("fault");
      await page.click("retry");
    }
    await page.shows("fault", /not answering the relay/);
    await scene.look(app, "breaker-open");
  });
});

const openAt = async (scene: Scene, address: string) => {
  const app = await scene.open();
  await connect(app, address);
  return app;
};

/** On the same port, with what it kept. */
const startAgain = async (t: TestContext, { relay, upstream }: Scene): Promise<Relay> => {
  const again = await startRelay({
    dataDir: relay.dataDir,
    upstreamUrl: upstream.url,
    env: { PORT: String(relay.port) },
  });
  t.after(again.stop);
  return again;
};
