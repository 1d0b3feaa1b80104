import { createHash } from "node:crypto";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { deviceIdPattern } from "./identity.ts";

/** Remembers the device's id where no keychain does. The id is no secret: alone it proves nothing. */
export interface DeviceIdFile {
  /** The id in the file; `fresh` makes one where there is none, or none that is an id. */
  take(fresh: () => string): Promise<string>;
  remove(): Promise<void>;
}

/** In the folder (0700), one file (0600) for each relay. */
export const createDeviceIdFile = (folder: string, relayUrl: string): DeviceIdFile => {
  const path = join(folder, `device-id-${relayName(relayUrl)}`);
  const read = async (): Promise<string | undefined> => {
    const text = await readFile(path, "utf8").catch(() => "");
    return deviceIdPattern.test(text.trim()) ? text.trim() : undefined;
  };
  return {
    take: async (fresh) => {
      const known = await read();
      if (known !== undefined) {
        return known;
      }
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const id = fresh();
      try {
        await writeFile(path, `${id}\n`, { flag: "wx", mode: 0o600 });
      } catch {
        // Another process was quicker, or what is there is no id.
        const quicker = await read();
        if (quicker !== undefined) {
          return quicker;
        }
        await writeFile(path, `${id}\n`, { mode: 0o600 });
      }
      return id;
    },
    remove: () => rm(path, { force: true }),
  };
};

/** Names a relay in a file name. */
export const relayName = (relayUrl: string): string =>
  createHash("sha256").update(relayUrl).digest("hex").slice(0, 16);
