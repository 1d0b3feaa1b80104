import type { HeldToken } from "./stored-token.ts";

const hourMs = 3_600_000;

/** So much of a token's life must remain: an hour, or a third where it lives less than three. */
export const refreshWindow = ({ issuedAt, expiresAt }: HeldToken): number =>
  Math.min(hourMs, (expiresAt - issuedAt) / 3);

/** When to renew in the background: up to a tenth of the window early, so that devices do not come all at once. */
export const refreshAt = (held: HeldToken, fraction: number): number =>
  held.expiresAt - refreshWindow(held) * (1 + 0.1 * fraction);

/** Whether a token may be handed out: a request takes a moment to arrive. */
export const isGood = ({ expiresAt }: Pick<HeldToken, "expiresAt">, now: number): boolean =>
  expiresAt - now > 5_000;

/** How long to wait after so many failures in a row: 2 s doubling up to 5 min, up to half less by chance. */
export const backoffMs = (failures: number, fraction: number, retryAfterSeconds = 0): number =>
  Math.max(
    Math.min(300_000, 2_000 * 2 ** Math.max(0, failures - 1)) * (1 - fraction / 2),
    Math.min(retryAfterSeconds, 600) * 1000,
  );

/** How long to wait between two questions whether an admin has approved. */
export const approvalPollMs = (asked: number): number => Math.min(15_000, 3_000 + 1_000 * asked);
