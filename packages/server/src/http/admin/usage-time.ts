import type { EpochMs } from "@claude-relay/contract";
import { Refusal } from "../../pipeline/refusal.ts";

const dayMs = 86_400_000;

/** RFC 3339 §5.6, the time of day and its zone optional as a whole. */
const shape =
  /^(\d{4}-\d\d-\d\d)(?:[Tt]([01]\d|2[0-3]):([0-5]\d):([0-5]\d|60)(?:\.(\d+))?([Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d))?$/;

/**
 * The instant that `YYYY-MM-DD` (UTC midnight) or an RFC 3339 date-time names. What lies between two
 * milliseconds counts as the later one, so that "from" and "to" keep their meaning for whole milliseconds.
 * @throws Refusal `invalid_request` for any other spelling, and for a day or a leap second that cannot be
 */
export const instant = (field: string, text: string): EpochMs => {
  const at = parse(text);
  if (at === null) {
    throw new Refusal(
      "invalid_request",
      `${field} must be a time such as 2026-11-21 (UTC midnight), 2026-11-21T13:00:00Z or 2026-11-21T13:00:00%2B01:00 (a + in a URL is written %2B).`,
    );
  }
  return at as EpochMs;
};

const parse = (text: string): number | null => {
  const [, date = "", hour = "00", minute = "00", second = "00", fraction = "", zone = "Z"] =
    shape.exec(text) ?? [];
  const midnight = Date.parse(`${date}T00:00:00Z`);
  // Date.parse takes 30 February for 2 March.
  if (Number.isNaN(midnight) || new Date(midnight).toISOString().slice(0, 10) !== date) {
    return null;
  }
  const seconds = Number(hour) * 3600 + Number(minute) * 60 + Number(second);
  const at = midnight + seconds * 1000 - offsetMs(zone);
  const isLeap = second === "60";
  return isLeap && at % dayMs !== 0 ? null : at + fractionMs(fraction);
};

const offsetMs = (zone: string): number => {
  const [sign, hours, minutes] = [zone[0], zone.slice(1, 3), zone.slice(4, 6)];
  const size = (Number(hours) * 60 + Number(minutes)) * 60_000;
  return sign === "-" ? -size : size;
};

const fractionMs = (digits: string): number =>
  Number(digits.slice(0, 3).padEnd(3, "0")) + (/[1-9]/.test(digits.slice(3)) ? 1 : 0);
