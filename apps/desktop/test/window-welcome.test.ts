/** First launch in the real window in Chromium, before a main process that follows a script. */
import assert from "node:assert/strict";
import { after, before, describe, it, type TestContext } from "node:test";
import { CallError } from "../src/bridge/call-error.ts";
import type { Connection } from "../src/bridge/connection.ts";
import { look, openScripted, says } from "./window-harness/open.ts";
import { relayUrl, type Script } from "./window-harness/scripted-main.ts";
import { skipWindow, startWindows, type Windows } from "./window-harness/window.ts";

const options = { skip: skipWindow, timeout: 60_000 };
const hour = 3_600_000;

describe("the window at first launch", options, () => {
  let windows: Windows;
  before(async () => {
    windows = await startWindows();
  });
  after(() => windows?.close());

  const open = (t: TestContext, script?: Partial<Script>) => openScripted(t, windows, script);
  const changed = (connection: Connection) => ({ type: "connection_changed", connection }) as const;

  it("takes a pasted link on first launch, waits for approval, and lets in", async (t) => {
    const { at, hear, main, page } = await open(t, { connection: { kind: "unconfigured" } });
    await at("address").fill("https://relay.example.com/#code=crc_abcdef");
    assert.equal(await at("address").inputValue(), "https://relay.example.com");
    assert.equal(await at("code").inputValue(), "crc_abcdef");
    await at("connect").click();
    assert.deepEqual(await main.called("relay.connect"), {
      address: "https://relay.example.com",
      enrollmentCode: "crc_abcdef",
    });
    await hear(changed({ kind: "connecting", relayUrl }));
    await says(at("connect"), "Connecting…");
    assert.ok(await at("connect").isDisabled());
    await hear(
      changed({
        kind: "waiting_for_approval",
        relayUrl,
        deviceId: "desk-4711",
        fingerprint: "9f2c-41ab-77d0-e5b8",
      }),
    );
    await says(at("device-name"), "desk 7");
    await says(at("device-id"), "desk-4711");
    assert.deepEqual(await at("fingerprint").locator("span").allTextContents(), [
      "9f2c",
      "41ab",
      "77d0",
      "e5b8",
    ]);
    await look({ page }, "waiting");
    await at("retry-now").click();
    await main.called("relay.retry");
    await hear(changed({ kind: "ready", relayUrl, expiresAt: Date.now() + hour }));
    await at("composer").waitFor();
  });

  it("says beside the form why an address cannot be one", async (t) => {
    const { at, page } = await open(t, {
      connection: { kind: "unconfigured" },
      answers: {
        "relay.connect": () => {
          throw new CallError({ code: "invalid_params", message: "http:// is for this machine." });
        },
      },
    });
    await at("connect").click();
    await says(at("connect-fault"), "Enter the relay’s address.");
    await at("address").fill("http://relay.example.com");
    await page.keyboard.press("Enter");
    await says(at("connect-fault"), "http:// is for this machine.");
    await look({ page }, "wrong-address");
  });

  it("tells what is wrong when the relay cannot be reached, and tries again at once when asked", async (t) => {
    const { at, hear, main } = await open(t, { connection: { kind: "unconfigured" } });
    await at("welcome").waitFor();
    const retryAt = Date.now() + 30_000;
    await hear(
      changed({ kind: "offline", relayUrl, message: "Nobody there.", retryAt, canChat: false }),
    );
    await says(at("unreachable"), /Nobody there\..*Trying again in \d+ s\./s);
    await at("retry-now").click();
    await main.called("relay.retry");
    assert.ok(await at("address").isEditable(), "another address can be tried");
  });

  it("asks for a code when the relay wants one, and shows its words when it refuses", async (t) => {
    const message = "The code is used up.";
    const wantsCode: Connection = { kind: "signed_out", relayUrl, message, wantsCode: true };
    const { at, hear, main, page } = await open(t, { connection: wantsCode });
    await says(at("refusal"), /^Ask the relay’s operator for an enrollment code or a link/);
    assert.equal(await page.getByRole("alert").count(), 0, "no alarm for a first step");
    await hear(changed({ ...wantsCode, hasWrongCode: true }));
    await says(page.getByRole("alert"), message);
    assert.equal(await at("address").inputValue(), relayUrl);
    assert.ok(await at("code").evaluate((code) => code === document.activeElement));
    await look({ page }, "wants-code");
    await hear(changed({ ...wantsCode, message: "This device is disabled.", wantsCode: false }));
    await says(at("refusal"), "This device is disabled.");
    await look({ page }, "refused");
    await at("sign-out").click();
    await main.called("relay.disconnect");
  });

  it("says when the app is too old", async (t) => {
    const message = "This relay needs version 2.0.0 or newer.";
    const { at, page } = await open(t, {
      connection: { kind: "update_needed", relayUrl, message },
    });
    await says(at("refusal"), message);
    await look({ page }, "update-needed");
  });

  it("does not let an address be changed that the environment names", async (t) => {
    const fixedAddress = "https://fixed.example.com";
    const { at } = await open(t, { connection: { kind: "unconfigured" }, fixedAddress });
    assert.equal(await at("address").inputValue(), fixedAddress);
    assert.ok(!(await at("address").isEditable()));
    await at("code").fill("https://relay.example.com/#code=crc_x");
    assert.equal(await at("address").inputValue(), fixedAddress);
    assert.equal(await at("code").inputValue(), "crc_x");
  });
});
