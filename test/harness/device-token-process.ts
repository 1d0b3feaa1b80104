/**
 * One of several processes of a user that share a store: says "ready", waits for its standard input to speak,
 * and prints its token. Run with the relay's URL and a folder; with "hang" besides, a token that the relay gave is
 * never stored: it says "given" and hangs there.
 */
import { once } from "node:events";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openDeviceSession, type SecretStore } from "../../packages/client/src/device/index.ts";

const [relayUrl = "", folder = "", hang = ""] = process.argv.slice(2);
const path = join(folder, "store.json");

const entries = (): Record<string, string> => {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return {};
  }
};

const save = (all: Record<string, string>): void => {
  writeFileSync(`${path}.${process.pid}`, JSON.stringify(all));
  renameSync(`${path}.${process.pid}`, path);
};

/** Stands for the keychain that they share. */
const store: SecretStore = {
  kind: "keychain",
  get: async (name) => entries()[name] ?? null,
  set: async (name, value) => {
    if (hang !== "" && name.startsWith("token")) {
      console.log("given");
      await new Promise(() => setInterval(() => undefined, 60_000));
    }
    save({ ...entries(), [name]: value });
  },
  delete: async (name) => {
    const { [name]: _, ...rest } = entries();
    save(rest);
  },
};

const { session } = await openDeviceSession({
  relayUrl,
  store,
  configFolder: folder,
  environment: {},
});
console.log("ready");
await once(process.stdin, "data");
process.stdin.destroy();
console.log(await session.token());
