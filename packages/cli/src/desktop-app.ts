/** The desktop app of this user; it shares the keychain's entries with this command. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ConnectedRelay } from "./connected-relays.ts";
import { parseObject } from "./json-object.ts";

/**
 * Whether the desktop app uses the same sign-in: then it is not this command's to forget.
 * @param folder this command's own, in which the app has its own (`desktop/settings.json`)
 */
export const isUsedByDesktopApp = (
  folder: string,
  { url, store }: Pick<ConnectedRelay, "url" | "store">,
): boolean => {
  if (store !== "keychain") {
    return false;
  }
  try {
    const kept = parseObject(readFileSync(join(folder, "desktop", "settings.json"), "utf8"));
    const used = kept?.["relay_url"];
    return typeof used === "string" && spelled(used) === spelled(url);
  } catch {
    // No app, or a file that it cannot read itself.
    return false;
  }
};

const spelled = (url: string): string =>
  (URL.canParse(url) ? new URL(url).href : url).replace(/\/+$/, "");
