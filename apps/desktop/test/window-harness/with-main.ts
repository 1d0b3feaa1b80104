/** The window before the real main process: only the shell between them is the test's. */
import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { CallError } from "../../src/bridge/call-error.ts";
import { type Desk, type Shell, startShell, tokenIn } from "../harness/shell.ts";
import { type Opened, openFor } from "./open.ts";
import type { Windows } from "./window.ts";

export type WithMain = Opened &
  Readonly<{
    /** Closes the main process's input, as a shell that ends does. */
    end(): Promise<void>;
    /** Kills the main process and starts another, and tells the window so, as the shell does. */
    crash(): Promise<void>;
    /** Fails if the window was given, shows or keeps the token for this relay. */
    assertTokenUnseen(relayUrl: string): Promise<void>;
  }>;

export const openWithMain = async (
  t: TestContext,
  windows: Windows,
  desk: Desk,
  env: Readonly<Record<string, string>> = {},
): Promise<WithMain> => {
  let shell = startShell(t, desk, env);
  let isDown = false;
  const given: unknown[] = [];
  const opened = await openFor(t, windows, async (method, params) => {
    if (isDown) {
      throw new CallError({ code: "failed", message: "The main process is not there." });
    }
    const result = await shell.callRaw(method, params);
    given.push(result);
    return result;
  });
  const tell: Opened["hear"] = async (...events) => {
    given.push(events);
    await opened.hear(...events);
  };
  void forwardEvents(shell, tell);
  return {
    ...opened,
    end: async () => void (await shell.end()),
    crash: async () => {
      isDown = true;
      await shell.kill();
      await tell({ type: "notice", message: "The main process ended." });
      shell = startShell(t, desk, env);
      isDown = false;
      void forwardEvents(shell, tell);
    },
    assertTokenUnseen: (relayUrl) => assertUnseen(tokenIn(desk, relayUrl), opened, given),
  };
};

/** As a shell does: each event as it comes, beside the replies. Ends with the process or the page. */
const forwardEvents = async (shell: Shell, tell: Opened["hear"]): Promise<void> => {
  let told = 0;
  try {
    for (;;) {
      await shell.until(() => shell.events.length > told);
      const news = shell.events.slice(told);
      told += news.length;
      await tell(...news);
    }
  } catch {
    // Nobody is left to tell, or to be told.
  }
};

const assertUnseen = async (token: string, { page }: Opened, given: unknown[]): Promise<void> => {
  assert.ok(token.length > 20);
  const kept = await page.evaluate(() =>
    JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie]),
  );
  const values = await page
    .locator("input, textarea")
    .evaluateAll((fields) => fields.map((field) => (field as HTMLInputElement).value));
  const seen = JSON.stringify([given, kept, values, await page.content()]);
  assert.ok(!seen.includes(token), "the token came to the window");
  // Nor what makes it one: its signature stands behind the last dot.
  assert.ok(!seen.includes(token.slice(token.lastIndexOf(".") + 1)));
};
