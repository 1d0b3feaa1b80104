/** What we know of a version: measured by us, unknown but checked at every start, or without the locks we need. */
export type VersionStanding = "tested" | "untested" | "refused";

/** The versions the whole attack matrix was run against (test/claude-cli-*.test.ts). */
const testedVersions = { from: "2.1.329", to: "2.1.329" } as const;

/** Older ones do not know some of the locks: 2.1.197 reads `@file` mentions and has no `--permission-prompts`. */
export const standingOf = (version: string): VersionStanding => {
  if (!isVersion(version) || compare(version, testedVersions.from) < 0) {
    return "refused";
  }
  return compare(version, testedVersions.to) > 0 ? "untested" : "tested";
};

const isVersion = (text: string): boolean => /^\d+\.\d+\.\d+$/.test(text);

const compare = (left: string, right: string): number => {
  const [a, b] = [left, right].map((text) => text.split(".").map(Number));
  const at = [0, 1, 2].find((index) => a?.[index] !== b?.[index]);
  return at === undefined ? 0 : (a?.[at] ?? 0) - (b?.[at] ?? 0);
};
