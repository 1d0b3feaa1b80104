/** The real window in Chromium, before a main process that follows a script: each state that it shows. */
import assert from "node:assert/strict";
import { after, before, describe, it, type TestContext } from "node:test";
import type { BrowserContextOptions } from "playwright-core";
import { CallError } from "../src/bridge/call-error.ts";
import type { Connection } from "../src/bridge/connection.ts";
import { look, openScripted, says } from "./window-harness/open.ts";
import { conversation, noUsage, relayUrl, type Script } from "./window-harness/scripted-main.ts";
import { skipWindow, startWindows, type Windows } from "./window-harness/window.ts";

const options = { skip: skipWindow, timeout: 60_000 };
const talk = conversation("talk-0001", "A talk", ["Hi", "Hello"]);
const hour = 3_600_000;

describe("the window", options, () => {
  let windows: Windows;
  before(async () => {
    windows = await startWindows();
  });
  after(() => windows?.close());

  const open = (t: TestContext, script?: Partial<Script>, more?: BrowserContextOptions) =>
    openScripted(t, windows, script, more);
  const changed = (connection: Connection) => ({ type: "connection_changed", connection }) as const;

  it("offline lets one write, says until when, and sends nothing", async (t) => {
    const offline: Connection = {
      kind: "offline",
      relayUrl,
      message: "The relay does not answer.",
      retryAt: Date.now() + 20_000,
      canChat: false,
    };
    const { at, hear, main, page } = await open(t, { connection: offline, conversations: [talk] });
    await says(at("banner-offline"), /does not answer\..*Trying again in \d+ s\./s);
    await at("composer").fill("Later");
    await page.keyboard.press("Enter");
    await says(at("composer-note"), "send when the relay is back");
    assert.ok(await at("send").isDisabled());
    assert.deepEqual(main.asked("conversations.create"), []);
    await look({ page }, "offline");
    await at("retry-now").click();
    await main.called("relay.retry");
    await hear(changed({ kind: "refreshing", relayUrl }));
    await says(at("connection"), "relay.example.com");
    assert.equal(await at("connection").getAttribute("data-connection"), "refreshing");
    await at("send").click();
    await main.called("chat.send");
  });

  it("asks again which models there are when the relay could not say", async (t) => {
    let isBroken = true;
    const { at, main, page } = await open(t, {
      answers: {
        "models.list": () => {
          if (isBroken) {
            throw new CallError({ code: "failed", message: "Storage is away." });
          }
          return main.script.models;
        },
      },
    });
    await says(at("banner-models"), "Storage is away.");
    await at("composer").fill("Hello");
    assert.ok(await at("send").isDisabled());
    await look({ page }, "no-models");
    isBroken = false;
    await at("retry-models").click();
    await at("banner-models").waitFor({ state: "detached" });
    assert.ok(await at("send").isEnabled());
  });

  it("keeps conversations in sight when the device is signed out, and leads back in", async (t) => {
    const { at, hear } = await open(t, { conversations: [talk] });
    await at("open-conversation").click();
    await hear(changed({ kind: "signed_out", relayUrl, message: "Revoked.", wantsCode: false }));
    await says(at("banner-signed-out"), "Revoked.");
    await says(at("answer"), "Hello");
    await at("show-welcome").click();
    await says(at("refusal"), "Revoked.");
    await at("back-to-conversations").click();
    await at("banner-signed-out").waitFor();
  });

  it("shows what was spent and what is left, and which budget is used up", async (t) => {
    const budget = {
      scope: "device",
      unit: "micro_usd",
      window: "day",
      limit: 5_000_000,
      remaining: 3_000_000,
      remainingPercent: 60,
      resetsAt: Date.now() + 5 * hour,
    } as const;
    const shared = { ...budget, scope: "organization", limit: null, remaining: null } as const;
    const today = { ...noUsage.today, costMicroUsd: 1_234_567 };
    const { at, hear, main, page } = await open(t, {
      usage: { today, budgets: [{ ...shared, remainingPercent: 80 }, budget] },
    });
    await says(at("usage-meter"), /Today \$1\.23.*60% left/s);
    const shares = await at("usage-meter")
      .getByRole("meter")
      .evaluate((bar) => (bar.firstElementChild?.clientWidth ?? 0) / bar.clientWidth);
    assert.ok(Math.abs(shares - 0.6) < 0.02, `the bar is ${shares} full`);
    await at("usage-meter").click();
    await says(at("usage-details"), "$3.00 of $5.00 left, resets in 5 h");
    await says(at("usage-details"), "80% left");
    await look({ page }, "usage");
    await page.keyboard.press("Escape");
    await at("usage-details").waitFor({ state: "detached" });
    main.script.usage = { today, budgets: [{ ...budget, remaining: 0, remainingPercent: 0 }] };
    await hear({ type: "usage_changed" });
    await says(at("banner-capped"), /This device’s daily budget is used up.*resets in 5 h/s);
    await look({ page }, "capped");
  });

  it("tells of a missing keychain until that is dismissed", async (t) => {
    const { at, hear } = await open(t, { notices: ["No system keychain found."] });
    await says(at("banner-notice"), "No system keychain found.");
    await hear({ type: "notice", message: "Another." });
    await says(at("banner-notice"), "Another.");
    await at("banner-notice").first().getByRole("button", { name: "Dismiss" }).click();
    assert.deepEqual(await at("banner-notice").allTextContents(), ["Another."]);
  });

  it("is light or dark as the system is, or as the setting says", async (t) => {
    const { at, main, page } = await open(t, {}, { colorScheme: "dark" });
    await at("composer").waitFor();
    const theme = () => page.evaluate(() => document.documentElement.dataset["theme"]);
    assert.equal(await theme(), "dark");
    await at("show-settings").click();
    await at("theme-light").check({ force: true });
    await page.locator(":root[data-theme=light]").waitFor();
    assert.deepEqual(await main.called("settings.set"), { theme: "light" });
    await look({ page }, "settings");
    await at("theme-system").check({ force: true });
    await page.locator(":root[data-theme=dark]").waitFor();
    await page.emulateMedia({ colorScheme: "light" });
    await page.locator(":root[data-theme=light]").waitFor();
  });

  it("says once that a simulator answers, and which model is the relay's first", async (t) => {
    const expiresAt = Date.now() + hour;
    const connection = { kind: "ready", relayUrl, expiresAt, isSimulated: true } as const;
    const { at } = await open(t, { connection });
    await says(at("composer-note"), /simulator and cost nothing real/);
    await at("show-settings").click();
    await says(at("default-model"), "Claude Opus 4.5 (first in the relay’s list)");
  });

  it("signs out only when sure", async (t) => {
    const { at, main } = await open(t);
    await at("show-settings").click();
    await at("sign-out").click();
    assert.equal(main.asked("relay.disconnect").length, 0);
    await at("confirm-sign-out").click();
    await at("settings").waitFor({ state: "detached" });
    await main.called("relay.disconnect");
  });

  it("says why it could not start, and tries again", async (t) => {
    let isBroken = true;
    const { at, page } = await open(t, {
      answers: {
        "conversations.list": () => {
          if (isBroken) {
            throw new CallError({ code: "failed", message: "The main process ended." });
          }
          return [];
        },
      },
    });
    await says(at("start-fault"), "The main process ended.");
    isBroken = false;
    await page.keyboard.press("Enter");
    await at("composer").waitFor();
  });

  it("of 480 pixels puts the conversations in a drawer", async (t) => {
    const { at, page } = await open(
      t,
      { conversations: [talk] },
      { viewport: { width: 480, height: 700 } },
    );
    await at("composer").waitFor();
    assert.ok(!(await at("sidebar").isVisible()));
    await at("show-sidebar").click();
    await at("open-conversation").click();
    await at("sidebar").waitFor({ state: "hidden" });
    await says(at("answer"), "Hello");
    assert.ok(
      await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth),
      "nothing is wider than the window",
    );
    await look({ page }, "narrow");
    await page.keyboard.press("Control+k");
    await page.keyboard.type("no such");
    await at("no-conversations").waitFor();
    await page.keyboard.press("Escape");
    await page.keyboard.press("Escape");
    await at("sidebar").waitFor({ state: "hidden" });
  });
});
