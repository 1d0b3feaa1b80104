/** The real window, the real main process and a real relay: everything but the shell. */
import assert from "node:assert/strict";
import { after, before, describe, it, type TestContext } from "node:test";
import { type Relay, type RelayOptions, startRelay } from "../../../test/harness/relay.ts";
import { tempFolder } from "../../../test/harness/temp-folder.ts";
import { withRelay } from "./harness/main-process.ts";
import type { Desk } from "./harness/shell.ts";
import { startUpstream } from "./harness/upstream.ts";
import { goes, look, type Opened, says } from "./window-harness/open.ts";
import { skipWindow, startWindows, type Windows } from "./window-harness/window.ts";
import { openWithMain } from "./window-harness/with-main.ts";

const options = { skip: skipWindow, timeout: 120_000 };

const relayFor = async (t: TestContext, start: RelayOptions = {}): Promise<Relay> => {
  const relay = await startRelay(start);
  t.after(async () => {
    if (relay.process.exitCode === null && relay.process.signalCode === null) {
      await relay.stop();
    }
  });
  return relay;
};

const connect = async ({ at }: Opened, address: string, code = ""): Promise<void> => {
  await at("address").fill(address);
  if (code !== "") {
    await at("code").fill(code);
  }
  await at("connect").click();
};

const ask = async ({ at }: Opened, text: string): Promise<void> => {
  await at("composer").fill(text);
  await at("send").click();
};

describe("the window with its main process and a relay", options, () => {
  let windows: Windows;
  before(async () => {
    windows = await startWindows();
  });
  after(() => windows?.close());

  const deskFor = (t: TestContext): Desk => ({ home: tempFolder(t), keychain: new Map() });

  it("connects, chats on the simulator, and finds it all again at the next start", async (t) => {
    const relay = await relayFor(t);
    const desk = deskFor(t);
    const first = await openWithMain(t, windows, desk);
    await connect(first, relay.url);
    const { at, page } = first;
    await at("composer").waitFor();
    await ask(first, "What is the capital of France?");
    await says(at("answer").and(page.locator("[data-ending=complete]")), /./);
    const answer = await at("markdown").textContent();
    await says(at("open-conversation"), "What is the capital of France?");
    await says(at("usage-meter"), /Today \$0\.0*[1-9]/);
    await ask(first, "And of Spain?");
    await at("answer").nth(1).and(page.locator("[data-ending=complete]")).waitFor();
    await first.assertTokenUnseen(relay.url);
    await look(first, "relay-chat");
    await page.reload();
    await at("open-conversation").click();
    await at("answer").nth(1).waitFor();
    assert.equal(await at("markdown").first().textContent(), answer);
    await first.end();

    const second = await openWithMain(t, windows, desk);
    await second.at("open-conversation").click();
    await second.at("answer").nth(1).waitFor();
    assert.equal(await second.at("markdown").first().textContent(), answer);
    assert.deepEqual(await second.at("user-message").allTextContents(), [
      "What is the capital of France?",
      "And of Spain?",
    ]);
    await second.assertTokenUnseen(relay.url);
  });

  it("stops an answer, which frees it upstream, and asks for it again", async (t) => {
    const upstream = await startUpstream();
    t.after(() => upstream.close());
    const relay = await relayFor(t, { upstreamUrl: upstream.url });
    const opened = await openWithMain(t, windows, deskFor(t));
    const { at, page } = opened;
    await connect(opened, relay.url);
    await at("composer").waitFor();
    await at("model-menu").selectOption("claude-haiku-5-5");
    await ask(opened, "Tell me a story.");
    const asked = await upstream.asked();
    assert.equal(asked.body.model, "claude-haiku-5-5");
    asked.say("Once **upon");
    await says(at("answer"), "Once **upon");
    await page.keyboard.press("Escape");
    await asked.left;
    await says(at("answer"), "You stopped this answer.");
    await at("retry").click();
    const again = await upstream.asked();
    assert.deepEqual(again.body.messages, asked.body.messages);
    again.say("Twice **upon** a time");
    again.finish();
    await says(at("answer").locator("strong"), "upon");
    await at("retry").waitFor();
    assert.equal(await at("answer").count(), 1);
    // Left in the middle of an answer and opened again, it is as whole.
    await ask(opened, "Another.");
    const third = await upstream.asked();
    third.say("Part one, ");
    await says(at("answer"), "Part one,");
    await page.reload();
    await at("open-conversation").click();
    await says(at("answer"), "Part one,");
    third.say("part two, ");
    third.finish();
    await at("answer").nth(1).and(page.locator("[data-ending=complete]")).waitFor();
    await says(at("answer").nth(1), "Part one, part two,");
  });

  it("shows what came of an answer when the main process died, and goes on with the next", async (t) => {
    const upstream = await startUpstream();
    t.after(() => upstream.close());
    const relay = await relayFor(t, { upstreamUrl: upstream.url });
    const opened = await openWithMain(t, windows, deskFor(t));
    const { at, page } = opened;
    await connect(opened, relay.url);
    await ask(opened, "Tell me a story.");
    const asked = await upstream.asked();
    asked.say("Once upon");
    await says(at("answer"), "Once upon");
    await opened.crash();
    await at("fault").and(page.locator("[data-fault=broken_off]")).waitFor();
    await says(at("banner-notice"), "The main process ended.");
    await look(opened, "relay-crash");
    await at("retry").click();
    const again = await upstream.asked();
    again.say("Twice");
    again.finish();
    await says(at("answer").and(page.locator("[data-ending=complete]")), "Twice");
  });

  it("goes in by a code, after a wrong one was refused", async (t) => {
    const relay = await relayFor(t, { env: { BOOTSTRAP: "code" } });
    const opened = await openWithMain(t, windows, deskFor(t));
    const { at } = opened;
    await connect(opened, relay.url, "crc_wrong");
    await says(at("refusal"), /code/i);
    assert.equal(await at("address").inputValue(), relay.url);
    await look(opened, "relay-wrong-code");
    const minted = await relay.admin("/admin/enrollment-codes", { method: "POST", body: "{}" });
    await at("address").fill(`${relay.url}/#code=${minted.body.enrollment_code}`);
    await at("connect").click();
    await at("composer").waitFor();
    await opened.assertTokenUnseen(relay.url);
  });

  it("asks for a code when the keychain that holds the sign-in stays locked", async (t) => {
    const relay = await relayFor(t, { env: { BOOTSTRAP: "code" } });
    const desk = withRelay(deskFor(t), relay.url);
    const opened = await openWithMain(t, windows, desk, {}, (shell) => {
      shell.keychainHangs = /./;
    });
    const { at } = opened;
    await says(at("starting"), /Waiting for the system’s keychain: unlock it/);
    opened.shell().dismissPrompt();
    await says(at("refusal"), /^Ask the relay’s operator for an enrollment code or a link/);
    assert.ok(await at("code").isEditable());
    await says(at("banner-notice"), /^The system keychain stayed locked\. Unlock it/);
    assert.doesNotMatch(await at("welcome").innerText(), /SS error|platform storage/);
  });

  it("shows the fingerprint that the operator sees, and goes in when he approves", async (t) => {
    const relay = await relayFor(t, { env: { BOOTSTRAP: "approve" } });
    const opened = await openWithMain(t, windows, deskFor(t));
    const { at } = opened;
    await connect(opened, relay.url);
    await at("fingerprint").waitFor();
    const shown = await at("fingerprint").locator("span").allTextContents();
    const device = (await relay.admin("/admin/devices")).body.data[0];
    assert.equal(shown.join("-"), device.device_key_fingerprint ?? device.waiting_key_fingerprint);
    assert.equal(await at("device-id").textContent(), device.id);
    assert.equal(await at("device-name").textContent(), device.label);
    await look(opened, "relay-approval");
    const approved = await relay.admin(`/admin/devices/${device.id}/approve`, {
      method: "POST",
      body: JSON.stringify({ device_key_fingerprint: shown.join("-") }),
    });
    assert.equal(approved.status, 200, JSON.stringify(approved.body));
    await at("retry-now").click();
    await at("composer").waitFor();
  });

  it("tells of a wrong address, and of one where no relay is", async (t) => {
    const opened = await openWithMain(t, windows, deskFor(t));
    const { at } = opened;
    await connect(opened, "http://relay.example.com");
    await says(at("connect-fault"), /https/);
    await look(opened, "relay-http");
    await connect(opened, "http://127.0.0.1:9");
    await says(at("connect-fault"), "No connection to http://127.0.0.1:9");
    await look(opened, "relay-nobody");
  });

  it("shows a budget that is used up, and the way the relay says it", async (t) => {
    const relay = await relayFor(t);
    const opened = await openWithMain(t, windows, deskFor(t));
    const { at } = opened;
    await connect(opened, relay.url);
    await at("composer").waitFor();
    const device = (await relay.admin("/admin/devices")).body.data[0];
    const budget = { scope: "device", scope_id: device.id, limit_micro_usd: 0, window: "day" };
    const made = await relay.admin("/admin/budgets", {
      method: "POST",
      body: JSON.stringify(budget),
    });
    assert.ok(made.status < 300, JSON.stringify(made.body));
    await ask(opened, "May I?");
    await says(at("fault"), "A budget is used up");
    assert.equal(await at("fault").getAttribute("data-fault"), "capped");
    await says(at("banner-capped"), "This device’s daily budget is used up");
    await look(opened, "relay-capped");
  });

  it("says that the relay is away, and goes on when it is back", async (t) => {
    const dataDir = tempFolder(t);
    const relay = await relayFor(t, { dataDir });
    const opened = await openWithMain(t, windows, deskFor(t));
    const { at, page } = opened;
    await connect(opened, relay.url);
    await at("composer").waitFor();
    await relay.stop();
    await ask(opened, "Are you there?");
    await says(at("fault"), "The relay cannot be reached");
    await at("banner-offline").waitFor();
    await look(opened, "relay-away");
    await relayFor(t, { dataDir, env: { PORT: String(relay.port) } });
    await at("retry-now").click();
    await goes(at("banner-offline"));
    await at("fault").getByTestId("retry").click();
    await at("answer").and(page.locator("[data-ending=complete]")).waitFor();
  });
});
