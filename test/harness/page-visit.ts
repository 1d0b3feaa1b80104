/** What a person does and sees in a real browser. */
import { mkdirSync } from "node:fs";
import type { TestContext } from "node:test";
import type { Browser, BrowserContext, Page } from "playwright-core";

export type Visit = Readonly<{
  page: Page;
  context: BrowserContext;
  /** What the page's policy or a script complained of. */
  faults: string[];
}>;

/** A browser with nothing of an earlier one, at this address. */
export const openPageIn = async (
  browser: Browser,
  t: TestContext,
  address: string,
  colorScheme: "light" | "dark" = "light",
): Promise<Visit> => {
  const viewport = { width: 480, height: 760 };
  const context = await browser.newContext({ colorScheme, viewport, ignoreHTTPSErrors: true });
  t.after(() => context.close());
  const page = await context.newPage();
  const faults: string[] = [];
  page.on("pageerror", (error) => faults.push(error.message));
  page.on("console", (message) => {
    if (/Content Security Policy|violates/i.test(message.text())) {
      faults.push(message.text());
    }
  });
  await page.goto(address);
  return { page, context, faults };
};

/** Waits until the page with this heading is there. */
export const shows = (page: Page, heading: string): Promise<void> =>
  page.getByRole("heading", { name: heading, exact: true }).waitFor();

export const press = (page: Page, name: string): Promise<void> =>
  page.getByRole("button", { name }).click();

/** From the page with the link, over the provider's login page, and back. */
export const signInAtProvider = async (page: Page, login: string): Promise<void> => {
  await page.getByRole("link", { name: /^Sign in at/ }).click();
  await page.getByLabel("Login").fill(login);
  await page.getByLabel("Password").fill("any");
  await press(page, "Sign in");
  await page.waitForURL(/\/device\/callback/);
};

/** Where to leave pictures of pages; nowhere unless told. */
const pictures = process.env["PAGE_PICTURES"];

export const picture = async (page: Page, name: string): Promise<void> => {
  if (pictures !== undefined) {
    mkdirSync(pictures, { recursive: true });
    await page.screenshot({ path: `${pictures}/${name}.png` });
  }
};
