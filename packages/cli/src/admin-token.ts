import { join, resolve } from "node:path";
import { Fault } from "./fault.ts";
import { type JsonObject, parseObject } from "./json-object.ts";
import type { RelayAddress } from "./relay-address.ts";
import { type Found, readIfThere, type Settings, theEnvironment } from "./settings.ts";

/**
 * The admin token for the relay at that address, and where it was found: `ADMIN_TOKEN`, or what the relay
 * made up for itself and keeps in `DATA_DIR/secrets.json`.
 * @throws Fault when there is none, or when sending it there would give it away
 */
export const adminTokenFor = (settings: Settings, address: RelayAddress): Found => {
  if (!address.loopback && !address.url.startsWith("https:")) {
    throw new Fault(
      `${address.url} is neither this machine nor https: the admin token would cross the network readable by anyone. Use the relay's https address, or run this where the relay runs.`,
    );
  }
  const token = find(settings);
  if (token.from !== theEnvironment && !isOwn(settings, address)) {
    throw new Fault(
      `The admin token in ${token.from} belongs to the relay on this machine and is not sent to ${address.url}: set ADMIN_TOKEN in the environment, or unset CLAUDE_RELAY_URL to mean the relay here.`,
    );
  }
  return token;
};

const find = (settings: Settings): Found => {
  const configured = settings.get("ADMIN_TOKEN");
  if (configured !== null) {
    return configured;
  }
  const path = secretsPath(settings);
  const content = readIfThere(path);
  const token = content === null ? undefined : parse(content, path)["admin_token"];
  if (typeof token !== "string" || token === "") {
    throw new Fault(
      `No admin token: neither ADMIN_TOKEN is set nor is one in ${path}. Start the relay once (./run.sh or ./install.sh), or run this in the folder it runs in.`,
    );
  }
  return { value: token, from: path };
};

/** Where a relay started in this folder keeps the secrets it made up. */
export const secretsPath = (settings: Settings): string => join(dataDir(settings), "secrets.json");

/** Absolute. */
export const dataDir = (settings: Settings): string =>
  resolve(settings.directory, settings.get("DATA_DIR")?.value ?? "data");

const parse = (content: string, path: string): JsonObject => {
  const value = parseObject(content);
  if (value === null) {
    throw new Fault(`${path} is not a valid JSON object: mend or delete it.`);
  }
  return value;
};

/** A relay on this machine, or the one this folder's settings say callers reach it by. */
const isOwn = (settings: Settings, address: RelayAddress): boolean => {
  const outside = outsideAddress(settings) ?? "";
  return (
    address.loopback ||
    (URL.canParse(outside) && new URL(outside).origin === new URL(address.url).origin)
  );
};

/** Where callers elsewhere reach the relay of this folder: `PROXY_BASE_URL`, or its tunnel; null when neither is set. */
export const outsideAddress = (settings: Settings): string | null => {
  const domain = settings.get("NGROK_DOMAIN")?.value;
  return (
    settings.get("PROXY_BASE_URL")?.value ?? (domain === undefined ? null : `https://${domain}`)
  );
};
