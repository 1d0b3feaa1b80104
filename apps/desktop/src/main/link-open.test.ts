import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { tempFolder } from "../../../../test/harness/temp-folder.ts";
import { CallError } from "../bridge/call-error.ts";
import { createLinkOpener, openLink, safeLink } from "./link-open.ts";

/** A folder to stand for PATH with an xdg-open in it; without `body` there is none. */
const withOpener = (t: TestContext, body?: string): string => {
  const folder = tempFolder(t);
  if (body !== undefined) {
    writeFileSync(join(folder, "xdg-open"), `#!/bin/sh\n${body}\n`, { mode: 0o755 });
  }
  const path = process.env["PATH"];
  process.env["PATH"] = folder;
  t.after(() => {
    process.env["PATH"] = path;
  });
  return folder;
};

const failed = (says: RegExp) => (error: unknown) =>
  error instanceof CallError && error.code === "failed" && says.test(error.message);

describe("a link", () => {
  it("to a web page or a mail address is handed on", () => {
    for (const [text, href] of [
      ["https://example.com", "https://example.com/"],
      ["HTTP://Example.com/a b?c=d#e", "http://example.com/a%20b?c=d#e"],
      ["https://example.com/$(id);`id`|x&y", "https://example.com/$(id);%60id%60|x&y"],
      ["mailto:someone@example.com?subject=Hello", "mailto:someone@example.com?subject=Hello"],
      ["https://bücher.example/ü", "https://xn--bcher-kva.example/%C3%BC"],
    ] as const) {
      assert.equal(safeLink(text), href);
    }
  });

  it("to anything else is not", () => {
    for (const text of [
      "",
      "example.com",
      "/etc/passwd",
      "--help",
      "-x https://example.com",
      "file:///etc/passwd",
      "javascript:alert(1)",
      "data:text/html,x",
      "vscode://file/x",
      "ms-msdt:/id",
      "smb://host/share",
      "tauri://localhost",
      "https://",
      "https://good.example@evil.example/",
      "https://user:pass@example.com/",
      "mailto:x@example.com?attach=/etc/passwd",
      "mailto:x@example.com?Attachment=/etc/passwd",
    ]) {
      assert.throws(
        () => safeLink(text),
        (error: unknown) => error instanceof CallError && error.code === "invalid_params",
        text,
      );
    }
  });

  it("is one argument of the opener, and no shell reads it", async (t) => {
    const folder = withOpener(t, `printf '%s\\n' "$#" "$@" > "\${0%/*}/said"`);
    const link = `https://example.com/?a=$(echo>${folder}/broken)&b='"\`;c`;
    await openLink(link, "linux");
    assert.deepEqual(readFileSync(join(folder, "said"), "utf8").split("\n"), [
      "1",
      safeLink(link),
      "",
    ]);
    assert.equal(existsSync(join(folder, "broken")), false);
  });

  it("is one of four on their way at most: a thousand would be as many programs", async () => {
    const done = Promise.withResolvers<void>();
    const asked: string[] = [];
    const open = createLinkOpener((url) => {
      asked.push(url);
      return done.promise;
    });
    const four = ["1", "2", "3", "4"];
    const opening = four.map(open);
    await assert.rejects(open("5"), { code: "busy" });
    assert.deepEqual(asked, four);
    done.resolve();
    await Promise.all(opening);
    await open("6");
    assert.equal(asked.at(-1), "6");
  });

  it("that nothing here opens is said to be so", async (t) => {
    withOpener(t, "exit 3");
    await assert.rejects(openLink("https://example.com", "linux"), failed(/nothing opens it here/));
  });

  it("is not opened without an opener, and that is said", async (t) => {
    withOpener(t);
    await assert.rejects(
      openLink("https://example.com", "linux"),
      failed(/xdg-open is not installed/),
    );
    await assert.rejects(
      openLink("https://example.com", "darwin"),
      failed(/open is not installed/),
    );
    await assert.rejects(openLink("https://example.com", "win32"), failed(/rundll32\.exe is not/));
  });
});
