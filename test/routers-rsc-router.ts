/** A router of the interpreter with the very scripts we ship installed on it. */
import { readFileSync } from "node:fs";
import type { TestContext } from "node:test";
import { createRouter, type Router, type RouterOptions } from "./routeros/router.ts";
import { type Double, startDouble } from "./routers-rsc-double.ts";

export type { Router } from "./routeros/router.ts";

const folder = new URL("../routeros/", import.meta.url);

/** Every script we ship, by its path under routeros/. */
export const shipped = [
  "claude-relay-config.rsc",
  "modules/claude-relay.rsc",
  "modules/claude-relay-hmac.rsc",
  "install.rsc",
  "selftest.rsc",
] as const;

export const bytesOf = (path: (typeof shipped)[number]): Buffer =>
  readFileSync(new URL(path, folder));

export const textOf = (path: (typeof shipped)[number]): string => bytesOf(path).toString("latin1");

/** Both ends of what the scripts must bear: nothing newer than 7.15, and all that 7.22 changed. */
export const kinds = [
  { version: "7.15", sha512: false },
  { version: "7.22", sha512: true },
] as const satisfies readonly RouterOptions[];

export type Installed = Omit<RouterOptions, "serial"> &
  Readonly<{
    /** A virtual router has no serial number. */
    virtual?: boolean;
  }>;

/** A router with the files uploaded and install.rsc imported. */
export async function installedRouter({ virtual, ...options }: Installed): Promise<Router> {
  const serial = virtual === true ? {} : { serial: "HEX1234ABCD" };
  const router = createRouter({ identity: "Office", ...serial, ...options });
  upload(router);
  await router.run("/import install.rsc");
  return router;
}

/** As scp does: into the root of /file. */
export function upload(router: Router): void {
  for (const path of shipped) {
    router.saveFile(path.replace("modules/", ""), textOf(path));
  }
}

/** Sets globals and loads both scripts, as step 4 of docs/routers.md. */
export async function configure(
  router: Router,
  settings: Readonly<Record<string, string | boolean | number>>,
): Promise<void> {
  const lines = Object.entries(settings).map(
    ([name, value]) =>
      `:global ${name} ${typeof value === "string" ? JSON.stringify(value) : value}`,
  );
  await router.run(lines.join("\n"));
  await router.run("/system/script/run bot-config\n/system/script/run modules/claude-relay");
}

/** A relay's double and a router that was told where it is and what secret they share. */
export async function introduced(
  t: TestContext,
  secret: string,
  options: Installed,
  settings: Parameters<typeof configure>[1] = {},
): Promise<{ relay: Double; router: Router }> {
  const relay = await startDouble(t, secret);
  const router = await installedRouter(options);
  await configure(router, {
    ClaudeRelayEnabled: true,
    ClaudeRelayURL: relay.url,
    ClaudeRelayHandshakeSecret: secret,
    ...settings,
  });
  router.put.length = 0;
  return { relay, router };
}
