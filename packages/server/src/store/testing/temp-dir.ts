import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";

/** A directory of its own for a test, gone after it. */
export const tempDir = (context: TestContext): string => {
  const directory = mkdtempSync(join(tmpdir(), "claude-relay-store-"));
  context.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
};
