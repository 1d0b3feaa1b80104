import { parseObject } from "../failure.ts";
import type { DeviceToken } from "./device-events.ts";

/** A token as it is held and stored. Times are epoch milliseconds by the relay's clock. */
export type HeldToken = DeviceToken &
  Readonly<{
    deviceId: string;
    issuedAt: number;
    /** How far this machine's clock was behind the relay's when the token came. */
    clockOffset: number;
  }>;

export const serializeToken = (held: HeldToken): string =>
  JSON.stringify({
    v: 1,
    device_id: held.deviceId,
    token: held.token,
    issued_at: held.issuedAt,
    expires_at: held.expiresAt,
    proxy_base_url: held.proxyBaseUrl,
    clock_offset: held.clockOffset,
  });

/** What `serializeToken` gave; undefined for anything else. */
export const parseToken = (text: string): HeldToken | undefined => {
  const fields = parseObject(text) ?? {};
  const { v, token, device_id: deviceId, proxy_base_url: proxyBaseUrl } = fields;
  const issuedAt = fields["issued_at"];
  const expiresAt = fields["expires_at"];
  const clockOffset = fields["clock_offset"];
  return v === 1 &&
    isTokenText(token) &&
    typeof deviceId === "string" &&
    typeof proxyBaseUrl === "string" &&
    isTime(issuedAt) &&
    isTime(expiresAt) &&
    issuedAt < expiresAt &&
    typeof clockOffset === "number"
    ? { token, deviceId, issuedAt, expiresAt, proxyBaseUrl, clockOffset }
    : undefined;
};

/** Fit for a header: anything else would make fetch show it in its complaint. */
export const isTokenText = (value: unknown): value is string =>
  typeof value === "string" && /^[\x21-\x7e]{1,8192}$/.test(value);

const isTime = (value: unknown): value is number =>
  typeof value === "number" && value > 0 && value < 8.64e15;
