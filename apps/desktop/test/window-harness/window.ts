/** The real renderer in Debian's Chromium, and all it did that it must not do. */
import { existsSync } from "node:fs";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { CallError } from "../../src/bridge/call-error.ts";
import type { AppEvent, CallFault } from "../../src/bridge/protocol.ts";
import type { ToWindow } from "../../src/bridge/wire.ts";
import { type PageServer, servePage } from "./page-server.ts";

const executablePath = "/usr/bin/chromium";

/** Why window tests cannot run here; false: they can. */
export const skipWindow: string | false = existsSync(executablePath)
  ? false
  : "no Chromium: apt-get install chromium";

export type Caller = (method: string, params: unknown) => Promise<unknown>;

/** Takes a call of the window; its reply goes back as a line. Throws where there is no main process. */
export type Carrier = (
  call: Readonly<{ id: number; method: string; params: unknown }>,
  tell: (...lines: readonly ToWindow[]) => Promise<void>,
) => void;

export type TestWindow = Readonly<{
  page: Page;
  tell(...lines: readonly ToWindow[]): Promise<void>;
  hear(...events: readonly AppEvent[]): Promise<void>;
  /** CSP violations, errors of the page, requests that leave it. */
  misdeeds: readonly string[];
  close(): Promise<void>;
}>;

export type Windows = Readonly<{
  /** Opens the renderer; its calls go to `carry`. */
  open(carry: Carrier, options?: BrowserContextOptions): Promise<TestWindow>;
  close(): Promise<void>;
}>;

/** Starts the browser and the page's server, once for a file of tests. */
export const startWindows = async (): Promise<Windows> => {
  const server = await servePage();
  const browser = await chromium.launch({
    executablePath,
    args: [
      "--no-sandbox",
      "--disable-background-networking",
      "--no-first-run",
      "--disable-quic",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
  return {
    open: (carry, options) => openWindow(browser, server, carry, options),
    close: async () => {
      await browser.close();
      await server.close();
    },
  };
};

const openWindow = async (
  browser: Browser,
  server: PageServer,
  carry: Carrier,
  options: BrowserContextOptions = {},
): Promise<TestWindow> => {
  const context = await browser.newContext({
    viewport: { width: 1100, height: 760 },
    colorScheme: "light",
    ...options,
  });
  const page = await context.newPage();
  const misdeeds: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" || /content security policy/i.test(message.text())) {
      misdeeds.push(message.text());
    }
  });
  page.on("pageerror", (error) => misdeeds.push(String(error)));
  page.on("request", (request) => {
    if (!request.url().startsWith(server.url)) {
      misdeeds.push(`request to ${request.url().slice(0, 200)}`);
    }
  });
  context.on("page", (other) => misdeeds.push(`another page: ${other.url()}`));
  page.on("framenavigated", (frame) => {
    if (frame.url() !== server.url) {
      misdeeds.push(`went to ${frame.url()}`);
    }
  });
  const tell = (...lines: readonly ToWindow[]): Promise<void> =>
    page.evaluate((all) => window.testHear(all), lines);
  await page.exposeFunction("testCall", (id: number, method: string, params: unknown) =>
    carry({ id, method, params }, tell),
  );
  await page.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (event) => {
      console.error(`Content Security Policy: ${event.violatedDirective} ${event.blockedURI}`);
    });
  });
  await page.goto(server.url);
  return {
    page,
    tell,
    hear: (...events) => tell(...events.map((event) => ({ type: "event" as const, event }))),
    misdeeds,
    close: () => context.close(),
  };
};

/** Carries calls to a function of the test. */
export const carrierTo =
  (answer: Caller): Carrier =>
  ({ id, method, params }, tell) => {
    // The page may be gone by then.
    const ignore = (): void => undefined;
    answer(method, params)
      .then((result) => tell({ type: "reply", id, result: result ?? null }))
      .catch((error: unknown) => tell({ type: "fault", id, fault: faultOf(error) }))
      .catch(ignore);
  };

const faultOf = (error: unknown): CallFault =>
  error instanceof CallError
    ? { code: error.code, message: error.message }
    : { code: "failed", message: String(error) };
