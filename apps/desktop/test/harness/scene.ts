/** The whole scene of a test: a desk, the installed app, a real relay, and Anthropic in the test's hand. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { type Relay, type RelayOptions, startRelay } from "../../../../test/harness/relay.ts";
import { type App, startApp, unpackPackage } from "./app.ts";
import { type Desk, setUpDesk } from "./desk.ts";
import { startUpstream, type Upstream } from "./upstream.ts";

export type Scene = Readonly<{
  desk: Desk;
  relay: Relay;
  upstream: Upstream;
  /** Starts the app; it is closed with the test. */
  open(settings?: Readonly<Record<string, string>>): Promise<App>;
  /** Keeps a picture of the display where DESKTOP_SCREENSHOTS names a folder. */
  look(app: App, name: string): Promise<void>;
}>;

type Options = Readonly<{ keychain?: boolean; relay?: RelayOptions }>;

/** Everything is put away when the test is over, the last thing first. */
export const setScene = async (t: TestContext, options: Options = {}): Promise<Scene> => {
  const away = new AsyncDisposableStack();
  t.after(() => away.disposeAsync());
  const desk = away.adopt(await setUpDesk({ keychain: options.keychain ?? true }), putAway);
  const { program } = away.adopt(unpackPackage(), putAway);
  const upstream = away.adopt(await startUpstream(), putAway);
  const relay = away.adopt(
    await startRelay({ upstreamUrl: upstream.url, ...options.relay }),
    async (one) => void (await one.stop()),
  );
  return {
    desk,
    relay,
    upstream,
    open: async (settings) => away.adopt(await startApp(program, desk, settings), putAway),
    look: (app, name) => keepPicture(t, desk, app, name),
  };
};

const putAway = ({ close }: Readonly<{ close(): void | Promise<void> }>) => close();

/** Connects from the first page on, without a code. */
export const connect = async ({ page }: App, address: string): Promise<void> => {
  await page.type("address", address);
  await page.click("connect");
  await page.shows("composer");
};

const pictures = process.env["DESKTOP_SCREENSHOTS"];

const keepPicture = async (t: TestContext, desk: Desk, { page }: App, name: string) => {
  if (!pictures) {
    return;
  }
  mkdirSync(pictures, { recursive: true });
  await page.painted();
  const path = join(pictures, `${name}.png`);
  writeFileSync(path, await stillPicture(desk));
  t.diagnostic(`screenshot: ${path}`);
};

/** The display a moment after the page was drawn: once nothing moves on it but a cursor. */
const stillPicture = async (desk: Desk): Promise<Buffer> => {
  let last = desk.screenshot();
  for (let look = 0; look < 5; look += 1) {
    await wait(400);
    const next = desk.screenshot();
    if (next.equals(last)) {
      return next;
    }
    last = next;
  }
  return last;
};
