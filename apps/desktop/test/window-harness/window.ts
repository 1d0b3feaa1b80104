/** The real renderer in Debian's Chromium, and all it did that it must not do. */
import { existsSync } from "node:fs";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { CallError } from "../../src/bridge/call-error.ts";
import type { AppEvent, CallFault } from "../../src/bridge/protocol.ts";
import { type PageServer, servePage } from "./page-server.ts";

const executablePath = "/usr/bin/chromium";

/** Why window tests cannot run here; false: they can. */
export const skipWindow: string | false = existsSync(executablePath)
  ? false
  : "no Chromium: apt-get install chromium";

export type Caller = (method: string, params: unknown) => Promise<unknown>;

export type TestWindow = Readonly<{
  page: Page;
  hear(...events: readonly AppEvent[]): Promise<void>;
  /** CSP violations, errors of the page, requests that leave it. */
  misdeeds: readonly string[];
  close(): Promise<void>;
}>;

export type Windows = Readonly<{
  /** Opens the renderer; `call` answers it. */
  open(call: Caller, options?: BrowserContextOptions): Promise<TestWindow>;
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
    open: (call, options) => openWindow(browser, server, call, options),
    close: async () => {
      await browser.close();
      await server.close();
    },
  };
};

const openWindow = async (
  browser: Browser,
  server: PageServer,
  call: Caller,
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
  await page.exposeFunction("testCall", async (method: string, params: unknown) => {
    try {
      return { result: (await call(method, params)) ?? null };
    } catch (error) {
      return { fault: faultOf(error) };
    }
  });
  await page.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (event) => {
      console.error(`Content Security Policy: ${event.violatedDirective} ${event.blockedURI}`);
    });
  });
  await page.goto(server.url);
  return {
    page,
    hear: (...events) => page.evaluate((all) => window.testHear(all), events),
    misdeeds,
    close: () => context.close(),
  };
};

const faultOf = (error: unknown): CallFault =>
  error instanceof CallError
    ? { code: error.code, message: error.message }
    : { code: "failed", message: String(error) };
