/** The command line reads the relay's own settings by itself: it must know them by the same names. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { describe, it } from "node:test";
import { dataDir } from "../packages/cli/src/admin-token.ts";
import { relayAddress } from "../packages/cli/src/relay-address.ts";
import { fileKeys, readSettings } from "../packages/cli/src/settings.ts";
import { settings } from "../packages/server/src/config/settings.ts";

describe("the command line and the server", () => {
  it("know each setting by the same name and file key", () => {
    const ofServer = new Map(Object.values(settings).map(({ name, fileKey }) => [name, fileKey]));
    for (const [name, fileKey] of Object.entries(fileKeys)) {
      if (fileKey !== null) {
        assert.equal(ofServer.get(name), fileKey, name);
      }
    }
  });

  it("agree on where a relay without settings listens and keeps its data", (t) => {
    const folder = mkdtempSync(join(tmpdir(), "claude-relay-test-"));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const none = readSettings({}, folder);
    const { host, port, dataDir: data } = settings;
    assert.equal(relayAddress(none, undefined).url, `http://${host.fallback}:${port.fallback}`);
    assert.equal(dataDir(none), resolve(folder, data.fallback));
  });
});
