/** The packaged app's window in its smallest size, and dark; and with much in it. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { desktopMissing } from "./harness/missing.ts";
import { connect, setScene } from "./harness/scene.ts";
import type { WebDriver } from "./harness/webdriver.ts";

const everything = `# A heading

Some *emphasis*, \`code\`, a [link](https://example.com/a) and a list:

1. First, with a rather long line that has to be broken somewhere because it does not fit in a narrow window
2. Second
   - nested

> A quotation.

| Column | Another |
| --- | ---: |
| cell | 12 |
| a longer cell | 3,456 |

\`\`\`python
def relay(message: str, to: list[str]) -> None:  # a line that is much longer than the window is wide
    for one in to:
        send(message, one)
\`\`\`

<script>alert("no")</script> ![picture](https://example.com/x.png)
`;

/** What sticks out of the window at its sides. */
const stickingOut = (page: WebDriver): Promise<string[]> =>
  page.run(`
    return [...document.querySelectorAll("button, input, textarea, select, p, article")]
      .filter((one) => one.checkVisibility() && !one.closest("pre, .off-screen, table, .sidebar"))
      .filter((one) => one.getBoundingClientRect().right > innerWidth + 1)
      .map((one) => one.outerHTML.slice(0, 120));
  `);

describe("the desktop app's window", { skip: desktopMissing }, () => {
  it("holds all it shows, wide and narrow, light and dark", async (t) => {
    const { relay, upstream, open, look } = await setScene(t);
    const app = await open();
    const { page } = app;
    await connect(app, relay.url);
    await page.type("composer", "Show me all you can");
    await page.click("send");
    const question = await upstream.asked();
    question.say(everything);
    question.finish();
    await page.shows("code-block", /def relay/);
    await page.gone("stop");
    await look(app, "markdown-light");
    assert.equal(
      await page.run("return document.querySelectorAll('img, script[src*=example]').length"),
      0,
    );

    await page.click("show-settings");
    await look(app, "settings");
    await page.run("document.querySelector('[data-testid=theme-dark]').click()");
    await page.run("document.querySelector('dialog')?.close()");
    await look(app, "markdown-dark");
    assert.deepEqual(await stickingOut(page), []);

    await page.resize(480, 400);
    assert.deepEqual(await stickingOut(page), []);
    await look(app, "smallest-dark");
    await page.click("show-sidebar");
    await look(app, "smallest-drawer");
  });
});
