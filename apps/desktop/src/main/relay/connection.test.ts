import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { DeviceSessionState } from "@claude-relay/client/device";
import type { Connection } from "../../bridge/connection.ts";
import { connectionOf } from "./connection.ts";

const relayUrl = "https://relay.example.com";
const outage = { message: "No connection.", retryAt: 2_000 };
const held = { expiresAt: 9_000, proxyBaseUrl: "https://elsewhere.example.com" };

const signedOut = (
  reason: Extract<DeviceSessionState, { kind: "signed_out" }>["reason"],
  message: string,
): Connection => connectionOf(relayUrl, { kind: "signed_out", reason, message }, null);

describe("a session's state as the window shows it", () => {
  const states: readonly [DeviceSessionState, Connection][] = [
    [{ kind: "idle" }, { kind: "connecting", relayUrl }],
    [{ kind: "bootstrapping" }, { kind: "connecting", relayUrl }],
    [{ kind: "stopped" }, { kind: "connecting", relayUrl }],
    [
      { kind: "ready", ...held },
      { kind: "ready", relayUrl, expiresAt: 9_000 },
    ],
    [
      { kind: "refreshing", ...held },
      { kind: "refreshing", relayUrl },
    ],
    [
      { kind: "waiting_for_approval", deviceId: "d", fingerprint: "ab12" },
      { kind: "waiting_for_approval", relayUrl, deviceId: "d", fingerprint: "ab12" },
    ],
    [
      { kind: "offline", message: "Away.", retryAt: 1_000.5, hasToken: true },
      { kind: "offline", relayUrl, message: "Away.", retryAt: 1_001, canChat: true },
    ],
    [
      { kind: "offline", message: "Away\u001b[31m.\nBack", retryAt: 1_000, hasToken: false },
      { kind: "offline", relayUrl, message: "Away [31m. Back", retryAt: 1_000, canChat: false },
    ],
  ];
  for (const [state, shown] of states) {
    it(`${JSON.stringify(state)} is ${shown.kind}`, () => {
      assert.deepEqual(connectionOf(relayUrl, state, null), shown);
    });
  }

  it("is offline, with a token, while the relay does not answer", () => {
    assert.deepEqual(connectionOf(relayUrl, { kind: "ready", ...held }, outage), {
      kind: "offline",
      relayUrl,
      ...outage,
      canChat: true,
    });
  });

  it("of a device that needs a code says so in people's words", () => {
    for (const [message, says] of [
      [
        "enrollment_code is required: ask the operator of this relay for one (POST /x).",
        /Ask its operator for one, then sign in/,
      ],
      ["enrollment_code is unknown: ask the operator …", /does not know this enrollment code/],
      ["enrollment_code is used up: ask the operator …", /is used up\. Ask the relay's operator/],
      ["enrollment_code is expired: ask the operator …", /is expired\. Ask/],
      ["enrollment_code is revoked: ask the operator …", /is revoked\. Ask/],
      ["enrollment_code must not have more than 128 characters", /^enrollment_code must not have/],
    ] as const) {
      const connection = signedOut("enrollment_code", message);
      assert.ok(connection.kind === "signed_out" && connection.wantsCode);
      assert.match(connection.message, says);
      assert.doesNotMatch(connection.message, /POST/);
    }
  });

  it("of a device that was turned away has the relay's words and the way out", () => {
    const connection = signedOut("refused", "This device is disabled. Ask the operator.");
    assert.ok(connection.kind === "signed_out" && !connection.wantsCode);
    assert.match(
      connection.message,
      /^This device is disabled\. Ask the operator\. Once .*choose Sign out/,
    );
  });

  it("of an app that is too old is that", () => {
    assert.deepEqual(signedOut("update_needed", "Update the app."), {
      kind: "update_needed",
      relayUrl,
      message: "Update the app.",
    });
  });
});
