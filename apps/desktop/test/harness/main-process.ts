/** What the tests of the main process share: relays, desks and the calls of a window. */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { type Relay, startRelay } from "../../../../test/harness/relay.ts";
import { tempFolder } from "../../../../test/harness/temp-folder.ts";
import { CallError } from "../../src/bridge/call-error.ts";
import type { CallFaultCode } from "../../src/bridge/protocol.ts";
import { type Desk, folderOf, type Shell } from "./shell.ts";

/** An empty home. @param keychain what is in the keychain; null where there is none */
export const deskOf = (t: TestContext, keychain: Desk["keychain"] = new Map()): Desk => ({
  home: tempFolder(t),
  keychain,
});

/** A relay of its own, gone when the test is over. */
export const relayOf = async (
  t: TestContext,
  env: Readonly<Record<string, string>> = {},
  dataDir?: string,
): Promise<Relay> => {
  const relay = await startRelay({ env, ...(dataDir !== undefined && { dataDir }) });
  t.after(async () => {
    if (relay.process.exitCode === null && relay.process.signalCode === null) {
      await relay.stop();
    }
  });
  return relay;
};

export const mintCode = async (relay: Relay): Promise<string> =>
  (await relay.admin("/admin/enrollment-codes", { method: "POST", body: "{}" })).body
    .enrollment_code;

export const devicesOf = async (relay: Relay): Promise<Record<string, unknown>[]> =>
  (await relay.admin("/admin/devices")).body.data;

export const setStatus = (relay: Relay, id: string, status: string) =>
  relay.admin(`/admin/devices/${id}`, { method: "PATCH", body: JSON.stringify({ status }) });

/** What a call is to fail with. */
export const fault =
  (code: CallFaultCode, says: RegExp) =>
  (error: unknown): boolean => {
    assert.ok(error instanceof CallError, String(error));
    assert.equal(error.code, code);
    assert.match(error.message, says);
    return true;
  };

export const connect = (shell: Shell, address: string, enrollmentCode?: string): Promise<null> =>
  shell.call("relay.connect", { address, ...(enrollmentCode !== undefined && { enrollmentCode }) });

/** How many lines are just that. */
export const count = (text: string, line: string): number =>
  text.split("\n").filter((one) => one === line).length;

/** Where this relay was chosen before. */
export const withRelay = (desk: Desk, relayUrl: string): Desk =>
  withSettings(desk, JSON.stringify({ theme: "system", default_model: null, relay_url: relayUrl }));

/** With this text for a settings file. */
export const withSettings = (desk: Desk, text: string): Desk => {
  const folder = folderOf(desk);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "settings.json"), text);
  return desk;
};
