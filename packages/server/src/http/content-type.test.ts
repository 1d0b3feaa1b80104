import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Refusal } from "../pipeline/refusal.ts";
import { demandJson } from "./content-type.ts";

const json = "application/json";
const refused = (headers: Record<string, string>): void => {
  assert.throws(
    () => demandJson(headers),
    (error) => error instanceof Refusal && error.code === "unsupported_media_type",
    JSON.stringify(headers),
  );
};

describe("a JSON body's label", () => {
  it("may say UTF-8 in any usual spelling", () => {
    for (const type of [
      json,
      "Application/JSON",
      `${json};charset=utf-8`,
      `${json}; charset=UTF-8`,
      `${json} ; charset="utf-8"`,
      `${json}; charset=utf8`,
    ]) {
      demandJson({ "content-type": type });
    }
    demandJson({ "content-type": json, "content-encoding": "identity" });
  });

  it("may say nothing else", () => {
    refused({});
    for (const type of [
      "",
      "text/json",
      "text/plain",
      "application/jsonx",
      `${json}\t`,
      `${json}; charset=latin1`,
      `${json}; charset=utf-16`,
      `${json}; boundary=x`,
      `${json}; charset=utf-8; charset=utf-16`,
      `${json}, text/plain`,
      `text/plain; ${json}`,
    ]) {
      refused({ "content-type": type });
    }
    for (const coding of ["gzip", "br", "deflate", "zstd", "", "identity, gzip", "IDENTITY "]) {
      refused({ "content-type": json, "content-encoding": coding });
    }
  });

  it("is repeated in the refusal shortened, so that nobody writes pages through us", () => {
    assert.throws(
      () => demandJson({ "content-type": "x".repeat(10_000) }),
      (error: Error) => {
        return error.message.length < 200;
      },
    );
  });
});
