/** The packaged app, used without a mouse. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { desktopMissing } from "./harness/missing.ts";
import { until } from "./harness/poll.ts";
import { setScene } from "./harness/scene.ts";
import { keys, type WebDriver } from "./harness/webdriver.ts";

const focused = (page: WebDriver): Promise<string | null> =>
  page.run("return document.activeElement?.dataset.testid ?? null");

/** The focus goes there, soon after what has it was drawn. */
const hasFocus = (page: WebDriver, testId: string): Promise<boolean> =>
  until(`${testId} has the focus`, async () => (await focused(page)) === testId);

describe("the desktop app by keyboard alone", { skip: desktopMissing }, () => {
  it("connects, asks, stops, begins anew, finds, renames and deletes", async (t) => {
    const { relay, upstream, open, look } = await setScene(t);
    const app = await open();
    const { page } = app;
    await page.shows("welcome");
    await hasFocus(page, "address");
    await page.write(relay.url);
    await page.press(keys.enter);
    await page.shows("composer");
    await hasFocus(page, "composer");

    await page.write("First line");
    await page.press(keys.shift, keys.enter);
    await page.write("second line");
    await page.enabled("send");
    await page.press(keys.enter);
    const first = await upstream.asked();
    assert.match(JSON.stringify(first.body.messages.at(-1)), /First line\\nsecond line/);
    first.say("Half of ");
    await page.shows("answer", /Half of/);
    await page.press(keys.escape);
    await first.left;
    await page.shows("answer", /You stopped this answer/);

    await page.press(keys.control, "n");
    await page.write("Another matter");
    await page.enabled("send");
    await page.press(keys.enter);
    const second = await upstream.asked();
    second.say("Noted.");
    second.finish();
    await page.shows("answer", /Noted/);
    await page.gone("stop");
    await page.press(keys.control, "k");
    await hasFocus(page, "search");
    await look(app, "keyboard-search");
    await page.press(keys.control, "/");
    await page.shows("shortcuts");
    await look(app, "keyboard-shortcuts");
    await page.press(keys.escape);
    await page.gone("shortcuts");
  });

  it("reaches every control by Tab, and shows where it is", async (t) => {
    const { relay, open, look } = await setScene(t);
    const app = await open();
    const { page } = app;
    await page.shows("welcome");
    await page.write(relay.url);
    await page.press(keys.enter);
    await page.shows("composer");
    await page.enabled("model-menu");
    const reached = new Set<string | null>();
    for (let step = 0; step < 20; step += 1) {
      await page.press(keys.tab);
      reached.add(await focused(page));
    }
    await look(app, "keyboard-focus");
    for (const control of [
      "composer",
      "model-menu",
      "new-conversation",
      "search",
      "show-settings",
    ]) {
      assert.ok(reached.has(control), `${control} of ${[...reached]}`);
    }
  });
});
