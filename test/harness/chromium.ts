/** A real Chromium, the system's own, without a network of its own. */
import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";

const places = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const executablePath = places.find((place) => existsSync(place));

/** Why tests that need it are skipped; false when it is there. */
export const chromiumMissing: string | false =
  executablePath === undefined ? "Chromium is not installed: apt-get install chromium" : false;

const quiet = [
  "--no-sandbox",
  "--disable-background-networking",
  "--no-first-run",
  "--disable-quic",
  "--disable-component-update",
  "--disable-sync",
];

export const launchChromium = (): Promise<Browser> =>
  chromium.launch({ executablePath: executablePath ?? "", args: quiet });
