import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type DeviceId, epochMs } from "@claude-relay/contract";
import { decodeJwt, decodeProtectedHeader, SignJWT } from "jose";
import { Refusal } from "../pipeline/refusal.ts";
import { createWrapperTokens } from "./wrapper-token.ts";

const secret = "an-honest-secret-0123456789abcdef0123456789";
const other = "another-honest-secret-0123456789abcdef012345";
const device = "test-device-0001" as DeviceId;
const free = { models: null, requestsPerMinute: null };
const never = epochMs(0);

const setup = (secrets: { secret?: string; previousSecret?: string | null } = {}) => {
  const time = { ms: 1_790_000_000_250 };
  const clock = { now: () => epochMs(time.ms), monotonicMs: () => time.ms };
  const options = { secret, previousSecret: null, lifetimeHours: 24, clock, ...secrets };
  return { time, tokens: createWrapperTokens(options) };
};

const refusedAs = (code: string) => (error: unknown) =>
  error instanceof Refusal && error.code === code;

describe("a wrapper token", () => {
  it("is HS256 with a key id, and says who, for whom, from when and until when", async () => {
    const { tokens } = setup();
    const issued = await tokens.issue(device, { models: ["a*"], requestsPerMinute: 5 }, never);
    const header = decodeProtectedHeader(issued.token);
    assert.equal(header.alg, "HS256");
    assert.match(header.kid ?? "", /^[0-9a-f]{16}$/);
    assert.ok(!secret.includes(header.kid ?? ""));
    const { jti, ...claims } = decodeJwt(issued.token);
    assert.equal(jti, issued.jti);
    assert.deepEqual(claims, {
      iss: "claude-relay",
      aud: "claude-relay",
      sub: device,
      iat: 1_790_000_000,
      exp: 1_790_000_000 + 24 * 3600,
      models: ["a*"],
      requests_per_minute: 5,
    });
    const { token, expiresAt } = issued;
    const issuedAt = 1_790_000_000_000;
    assert.deepEqual(await tokens.verify(token), { deviceId: device, jti, issuedAt, expiresAt });
  });

  it("is good to the last millisecond and expired from then on", async () => {
    const { time, tokens } = setup();
    const { token, expiresAt } = await tokens.issue(device, free, never);
    time.ms = expiresAt - 1000;
    await tokens.verify(token);
    time.ms = expiresAt;
    await assert.rejects(tokens.verify(token), (error: Refusal) => {
      assert.equal(error.code, "credential_expired");
      assert.equal(error.message, "Token expired. Please refresh your token.");
      return true;
    });
  });

  it("that has expired is still told from a stranger's, to whoever asks for late ones", async () => {
    const { time, tokens } = setup();
    const { token, expiresAt } = await tokens.issue(device, free, never);
    const late = 2 * 86_400_000;
    time.ms = expiresAt + late - 1;
    assert.equal((await tokens.verify(token, late)).expiresAt, expiresAt);
    await assert.rejects(tokens.verify(token), refusedAs("credential_expired"));
    const stranger = setup({ secret: other }).tokens;
    await assert.rejects(stranger.verify(token, late), refusedAs("credential_invalid"));
    time.ms = expiresAt + late;
    await assert.rejects(tokens.verify(token, late), /more than 2 days ago/);
  });

  it("made in the second of a revocation is newer than it", async () => {
    const { time, tokens } = setup();
    const revokedAt = epochMs(time.ms);
    const { token } = await tokens.issue(device, free, revokedAt);
    const { issuedAt } = await tokens.verify(token);
    assert.ok(issuedAt >= revokedAt);
  });

  it("has an id of its own each time", async () => {
    const { tokens } = setup();
    const ids = await Promise.all(
      Array.from({ length: 50 }, async () => (await tokens.issue(device, free, never)).jti),
    );
    assert.equal(new Set(ids).size, 50);
  });

  it("outlives a rotation while the previous secret is named, and not otherwise", async () => {
    const { token } = await setup().tokens.issue(device, free, never);
    const rotated = setup({ secret: other, previousSecret: secret }).tokens;
    await rotated.verify(token);
    const fresh = await rotated.issue(device, free, never);
    await setup({ secret: other }).tokens.verify(fresh.token);
    await assert.rejects(
      setup({ secret: other }).tokens.verify(token),
      refusedAs("credential_invalid"),
    );
  });

  it("signed with the right secret under the other secret's name is refused", async () => {
    const { tokens } = setup({ secret, previousSecret: other });
    const { token } = await tokens.issue(device, free, never);
    const { kid = "" } = decodeProtectedHeader(token);
    const forged = await new SignJWT({ ...decodeJwt(token) })
      .setProtectedHeader({ alg: "HS256", kid })
      .sign(new TextEncoder().encode(other));
    await assert.rejects(tokens.verify(forged), refusedAs("credential_invalid"));
  });

  it("is never signed with a secret below 32 bytes", () => {
    for (const short of ["", "x", "x".repeat(31)]) {
      assert.throws(() => setup({ secret: short }), /at least 32 bytes/);
      assert.throws(() => setup({ previousSecret: short }), /at least 32 bytes/);
    }
    setup({ secret: "ü".repeat(16) });
  });
});
