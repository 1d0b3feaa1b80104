/** The window before the real main process: only the shell between them is the test's. */
import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import type { ToWindow } from "../../src/bridge/wire.ts";
import { type Desk, type Shell, startShell, tokenIn } from "../harness/shell.ts";
import { type Opened, openFor } from "./open.ts";
import type { Windows } from "./window.ts";

export type WithMain = Opened &
  Readonly<{
    /** The one that runs now. */
    shell(): Shell;
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
  prepare: (shell: Shell) => void = () => undefined,
): Promise<WithMain> => {
  const given: ToWindow[] = [];
  const waiting: ToWindow[] = [];
  let tell: Opened["tell"] | undefined;
  // As a shell does: each line as it comes, and in that order.
  const carryTo = (shell: Shell): void => {
    shell.onLine = (line) => {
      if (line.type === "reply" || line.type === "fault" || line.type === "event") {
        given.push(line);
        void (tell?.(line) ?? waiting.push(line));
      }
    };
  };
  let shell: Shell | null = startShell(t, desk, env);
  prepare(shell);
  carryTo(shell);
  const opened = await openFor(t, windows, (call) => {
    if (shell === null) {
      throw new Error("The main process is not there.");
    }
    shell.send({ type: "call", ...call });
  });
  tell = (...lines) => opened.tell(...lines).catch(() => undefined);
  await tell(...waiting);
  return {
    ...opened,
    shell: () => {
      assert.ok(shell !== null, "the main process is not there");
      return shell;
    },
    end: async () => void (await shell?.end()),
    crash: async () => {
      const crashed = shell;
      shell = null;
      await crashed?.kill();
      await opened.tell({ type: "ended" });
      await opened.hear({ type: "notice", message: "The main process ended." });
      shell = startShell(t, desk, env);
      carryTo(shell);
    },
    assertTokenUnseen: (relayUrl) => assertUnseen(tokenIn(desk, relayUrl), opened, given),
  };
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
