import { createHmac } from "node:crypto";
import type { Clock } from "../pipeline/types.ts";
import { sameSecretly } from "./signing.ts";

/**
 * Challenges that stand in for a clock. They are not kept but recognised, so that strangers who ask for
 * millions fill nothing; only used ones are remembered, and using one takes a valid signature.
 */
export interface ChallengeBook {
  /** `c_` and 32 hex digits: when, which, and a mark that only this process can make. */
  issue(): string;
  /** Whether it is ours, not used and not too old. */
  isGood(challenge: string): boolean;
  use(challenge: string): void;
  /** How many used ones are kept. */
  readonly size: number;
}

type Options = Readonly<{
  clock: Pick<Clock, "monotonicMs">;
  randomBytes: (size: number) => Buffer;
}>;

export const challengeLifetimeMs = 60_000;

export const createChallengeBook = ({ clock, randomBytes }: Options): ChallengeBook => {
  const key = randomBytes(32);
  const startedMs = clock.monotonicMs();
  const used = new Map<string, number>();
  let issued = 0;

  const ageMs = (): number => Math.floor(clock.monotonicMs() - startedMs);

  /** Milliseconds of this process and a count: never twice the same. */
  const begin = (): Buffer => {
    const head = Buffer.alloc(8);
    head.writeUIntBE(ageMs() % 2 ** 40, 0, 5);
    head.writeUIntBE(issued % 2 ** 24, 5, 3);
    issued += 1;
    return head;
  };

  const markOf = (head: Buffer): string =>
    createHmac("sha256", key).update(head).digest("hex").slice(0, 16);

  const forgetOld = (): void => {
    for (const [challenge, untilMs] of used) {
      if (untilMs > ageMs()) {
        return;
      }
      used.delete(challenge);
    }
  };

  return {
    issue: () => {
      const head = begin();
      return `c_${head.toString("hex")}${markOf(head)}`;
    },
    isGood: (challenge) => {
      const head = Buffer.from(challenge.slice(2, 18), "hex");
      const age = ageMs() - head.readUIntBE(0, 5);
      const isOurs = sameSecretly(challenge.slice(18), markOf(head));
      return isOurs && age < challengeLifetimeMs && !used.has(challenge);
    },
    use: (challenge) => {
      forgetOld();
      used.set(challenge, ageMs() + challengeLifetimeMs);
    },
    get size() {
      return used.size;
    },
  };
};
