import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createMemoryStore } from "@claude-relay/client/device";
import { startRelay } from "../../../../../test/harness/relay.ts";
import { tempFolder } from "../../../../../test/harness/temp-folder.ts";
import { FakeTime } from "../../../test/harness/fake-time.ts";
import type { Connection } from "../../bridge/connection.ts";
import { systemRandom } from "../system-ports.ts";
import { openRelay } from "./opened-relay.ts";

describe("a relay that turns the device away", () => {
  it("and does so again when asked later is not shown as being connected to for ever", async (t) => {
    const server = await startRelay({ env: { BOOTSTRAP: "code" } });
    t.after(() => server.stop());
    const time = new FakeTime();
    let told = Promise.withResolvers<void>();
    const shown: Connection["kind"][] = [];
    const relay = await openRelay({
      address: { relayUrl: server.url, healthUrl: `${server.url}/healthz` },
      enrollmentCode: undefined,
      store: createMemoryStore(),
      configFolder: tempFolder(t),
      appVersion: "1.0.0",
      deviceName: "desk 7",
      log: () => undefined,
      ...{ clock: time.clock, timers: time.timers, random: systemRandom },
      onNotice: () => undefined,
      onChange: () => {
        shown.push(relay.connection.kind);
        told.resolve();
      },
    });
    t.after(() => relay.stop());
    await relay.start();
    assert.equal(relay.connection.kind, "signed_out");
    await time.pass(11_000);
    shown.length = 0;
    await assert.rejects(relay.access.token(new AbortController().signal));
    while (shown.at(-1) !== "signed_out") {
      told = Promise.withResolvers();
      await told.promise;
    }
    assert.ok(shown.includes("connecting"), "it was asked again");
  });
});
