/** The relays that the command line of this user is connected to; it shares the keychain's entries with this app. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** Those it is connected to, and those it waits to be let in by. */
type Listed = Readonly<Record<"relays" | "asked", Kept | undefined>>;
type Kept = Readonly<Record<string, { store?: unknown } | undefined>>;

/** Whether `claude-relay connect` uses the same sign-in: then it is not this app's to forget. */
export const isUsedByCommandLine = (configFolder: string, relayUrl: string): boolean => {
  try {
    const text = readFileSync(join(configFolder, "relays.json"), "utf8");
    const { relays, asked } = JSON.parse(text) as Listed;
    return [relays, asked].some((list) => list?.[relayUrl]?.store === "keychain");
  } catch {
    // No file, or none that the command line can read itself.
    return false;
  }
};
