/** Opens the window for a test, closes it at its end, and holds it to its good behaviour. */
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { BrowserContextOptions, Locator } from "playwright-core";
import { type Script, type ScriptedMain, scriptMain } from "./scripted-main.ts";
import { type Carrier, carrierTo, type TestWindow, type Windows } from "./window.ts";

/** What every control needs: a name that a screen reader can say. Gives those without. */
const unnamedControls = (): string[] =>
  [...document.querySelectorAll<HTMLElement>("button, input, select, textarea, [role=link]")]
    .filter((control) => {
      const labels = "labels" in control ? [...((control.labels as NodeList | null) ?? [])] : [];
      const names = [
        control.getAttribute("aria-label"),
        ...labels.map((label) => label.textContent),
        control.textContent,
      ];
      return names.every((name) => (name ?? "").trim() === "");
    })
    .map((control) => control.outerHTML.slice(0, 120));

export type Opened = TestWindow & Readonly<{ at(testId: string): Locator }>;

export const openFor = async (
  t: TestContext,
  windows: Windows,
  carry: Carrier,
  options?: BrowserContextOptions,
): Promise<Opened> => {
  const opened = await windows.open(carry, options);
  t.after(async () => {
    const unnamed = await opened.page.evaluate(unnamedControls);
    await opened.close();
    assert.deepEqual(opened.misdeeds, []);
    assert.deepEqual(unnamed, [], "controls without a name");
  });
  return { ...opened, at: (testId) => opened.page.getByTestId(testId) };
};

/** A window whose main process follows a script. */
export const openScripted = async (
  t: TestContext,
  windows: Windows,
  changes: Partial<Script> = {},
  options?: BrowserContextOptions,
): Promise<Opened & Readonly<{ main: ScriptedMain }>> => {
  const main = scriptMain(changes);
  return { ...(await openFor(t, windows, carrierTo(main.call), options)), main };
};

/** Resolves when the element holds this text. */
export const says = (where: Locator, words: string | RegExp): Promise<void> =>
  where.filter({ hasText: words }).first().waitFor();

/** Resolves when it is gone. */
export const goes = (where: Locator): Promise<void> => where.first().waitFor({ state: "detached" });

const pictures = process.env["WINDOW_SCREENSHOTS"];

/** Keeps a picture of the window where WINDOW_SCREENSHOTS names a folder. */
export const look = async ({ page }: Pick<TestWindow, "page">, name: string): Promise<void> => {
  if (pictures !== undefined) {
    mkdirSync(pictures, { recursive: true });
    await page.screenshot({ path: join(pictures, `${name}.png`) });
  }
};
