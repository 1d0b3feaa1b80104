import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

/** A Node 20 on the PATH, behind the newer one that npm puts before it; undefined when there is none. */
export const findNode20 = (): string | undefined => {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  const nodes = folders.map((folder) =>
    join(folder, process.platform === "win32" ? "node.exe" : "node"),
  );
  return nodes.find((node) => existsSync(node) && versionOf(node).startsWith("v20."));
};

const versionOf = (node: string): string => {
  try {
    return execFileSync(node, ["--version"], { encoding: "utf8" });
  } catch {
    return "";
  }
};
