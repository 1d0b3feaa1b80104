import { Refusal } from "../pipeline/refusal.ts";

/** Demands that what an app states of its version is new enough. @throws Refusal `update_needed` */
export type DemandAppVersion = (stated: string | null) => void;

/**
 * MIN_APP_VERSION: for honest apps, so that people hear of an update. It is no guard: whoever states nothing, or
 * nothing of the form 1.2.3, is not judged.
 * @param minimum `1.2.3`; null for any version
 */
export const createDemandAppVersion = (minimum: string | null): DemandAppVersion => {
  const least = minimum === null ? null : numbersOf(minimum);
  if (least === null) {
    return () => undefined;
  }
  return (stated) => {
    const version = stated === null ? null : numbersOf(stated);
    if (version !== null && isLower(version, least)) {
      throw new Refusal(
        "update_needed",
        `This app's version ${stated} is too old for this relay, which wants ${minimum} or newer. Update the app: its sign-in is kept.`,
      );
    }
  };
};

type Version = Readonly<{ numbers: readonly number[]; isPreRelease: boolean }>;

/** `1.2.3`, `v1.2.3`, `1.2`, `1.2.3-beta.1+build`, as Semantic Versioning has them (https://semver.org). */
const numbersOf = (text: string): Version | null => {
  const match =
    /^v?(\d{1,9})\.(\d{1,9})(?:\.(\d{1,9}))?(-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?$/.exec(text);
  return (
    match && {
      numbers: [match[1], match[2], match[3] ?? "0"].map(Number),
      isPreRelease: match[4] !== undefined,
    }
  );
};

const isLower = (version: Version, least: Version): boolean => {
  for (const [place, wanted] of least.numbers.entries()) {
    const number = version.numbers[place] ?? 0;
    if (number !== wanted) {
      return number < wanted;
    }
  }
  // 2.0.0-beta.1 comes before 2.0.0.
  return version.isPreRelease;
};
