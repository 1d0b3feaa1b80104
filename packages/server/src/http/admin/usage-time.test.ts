import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { Refusal } from "../../pipeline/refusal.ts";
import { instant } from "./usage-time.ts";

const read = (text: string): number => instant("from", text);

const refuses = (text: string): void => {
  assert.throws(
    () => read(text),
    (error) =>
      error instanceof Refusal &&
      error.code === "invalid_request" &&
      error.message.startsWith("from must be a time such as"),
    JSON.stringify(text),
  );
};

describe("a time in a query", () => {
  it("is a date, meaning its midnight in UTC", () => {
    assert.equal(read("2026-11-21"), Date.UTC(2026, 10, 21));
    assert.equal(read("2028-02-29"), Date.UTC(2028, 1, 29));
    assert.equal(read("0001-01-01"), Date.parse("0001-01-01T00:00:00Z"));
  });

  it("is an RFC 3339 date-time in any zone", () => {
    const noon = Date.UTC(2026, 10, 21, 12);
    for (const text of [
      "2026-11-21T12:00:00Z",
      "2026-11-21t12:00:00z",
      "2026-11-21T12:00:00.000000Z",
      "2026-11-21T12:00:00+00:00",
      "2026-11-21T12:00:00-00:00",
      "2026-11-21T17:30:00+05:30",
      "2026-11-21T08:00:00-04:00",
      "2026-11-22T02:00:00+14:00",
    ]) {
      assert.equal(read(text), noon, text);
    }
    assert.equal(read("2016-12-31T23:59:60Z"), Date.UTC(2017, 0, 1));
    assert.equal(read("2017-01-01T00:59:60+01:00"), Date.UTC(2017, 0, 1));
  });

  it("between two milliseconds is the later one: no row of whole milliseconds changes sides", () => {
    const second = Date.UTC(2026, 10, 21, 12);
    for (const [fraction, ms] of [
      ["5", 500],
      ["07", 70],
      ["283", 283],
      ["2830", 283],
      ["2830001", 284],
      ["9999", 1000],
    ] as const) {
      assert.equal(read(`2026-11-21T12:00:00.${fraction}Z`) - second, ms, fraction);
    }
  });

  it("comes back as it was written, for any instant and zone", () => {
    fc.assert(
      fc.property(
        fc.date({
          min: new Date("0002-01-01T00:00:00Z"),
          max: new Date("9998-12-31T00:00:00Z"),
          noInvalidDate: true,
        }),
        fc.integer({ min: -1439, max: 1439 }),
        (date, offset) => {
          const local = new Date(date.getTime() + offset * 60_000).toISOString().slice(0, -1);
          const size = Math.abs(offset);
          const two = (part: number) => String(Math.trunc(part)).padStart(2, "0");
          const zone = `${offset < 0 ? "-" : "+"}${two(size / 60)}:${two(size % 60)}`;
          assert.equal(read(local + zone), date.getTime());
        },
      ),
    );
  });

  it("is nothing else", () => {
    for (const text of [
      "",
      "yesterday",
      "2026",
      "2026-11",
      "2026-1-2",
      "20261121",
      "11/21/2026",
      "Nov 21 2026",
      "1790000000000",
      "+002026-11-21",
      " 2026-11-21",
      "2026-11-21\n",
      "2026-13-01",
      "2026-00-01",
      "2026-11-31",
      "2026-02-29",
      "2026-11-00",
      "2026-11-21T12:00:00",
      "2026-11-21T12:00Z",
      "2026-11-21T12Z",
      "2026-11-21Z",
      "2026-11-21T24:00:00Z",
      "2026-11-21T12:60:00Z",
      "2026-11-21T12:00:60Z",
      "2026-11-21T12:00:00.Z",
      "2026-11-21T12:00:00,5Z",
      "2026-11-21T12:00:00+1:00",
      "2026-11-21T12:00:00+0100",
      "2026-11-21T12:00:00+24:00",
      "2026-11-21T12:00:00 01:00",
      "2026-11-21 12:00:00Z",
      "2026-11-21T12:00:00ZZ",
      "２０２６-11-21",
    ]) {
      refuses(text);
    }
  });
});
