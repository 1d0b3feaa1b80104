import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";

/** An empty folder, gone when the test is over. */
export const tempFolder = (t: TestContext): string => {
  const directory = mkdtempSync(join(tmpdir(), "claude-relay-test-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
};
