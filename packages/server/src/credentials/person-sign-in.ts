import type { UserId } from "@claude-relay/contract";
import { createOneByOne } from "../pipeline/one-by-one.ts";
import type { RateLimiter } from "../pipeline/rate-limiter.ts";
import { Refusal } from "../pipeline/refusal.ts";
import type { PasswordAttempt, PasswordStore, PersonSignIn } from "../pipeline/sign-in-ports.ts";
import { hashPassword, passwordFits } from "./password-hash.ts";

/** Failed attempts. An account's own limit is the widest: else anyone could lock a person out by name. */
export type SignInLimits = Readonly<{
  byAccount: RateLimiter;
  byAccountAndPlace: RateLimiter;
  byPlace: RateLimiter;
}>;

type Options = Readonly<{
  passwords: Pick<PasswordStore, "get">;
  isUser: (id: UserId) => boolean;
  limits: SignInLimits;
  /** What counts as one address, e.g. an IPv6 /64. */
  placeOf: (address: string) => string;
  /** Attempts that wait at most: each costs a fifth of a second and 32 MiB. */
  mostWaiting?: number;
}>;

/** No person's password is so long; hashing more would be work for nothing. */
export const longestPassword = 1024;

/** People with a password of ours: an admin sets it. */
export const createPersonSignIn = (options: Options): PersonSignIn => {
  const { mostWaiting = 32 } = options;
  // What an unknown name is compared with, so that it takes as long as a known one.
  let nobody: Promise<string> | null = null;
  const oneByOne = createOneByOne();
  let waiting = 0;

  /** One after another: what a limit says still holds when the attempt is counted. */
  const inTurn = <Result>(work: () => Promise<Result>): Promise<Result> => {
    if (waiting >= mostWaiting) {
      throw tooMany(1000);
    }
    waiting += 1;
    return oneByOne(work).finally(() => {
      waiting -= 1;
    });
  };

  const fits = async ({ name, password }: PasswordAttempt): Promise<boolean> => {
    nobody ??= hashPassword("nobody");
    // A name that nobody has is looked for all the same, under one that nobody can have.
    const known = await options.passwords.get(
      (options.isUser(name as UserId) ? name : "") as UserId,
    );
    const isRight = await passwordFits(password, known?.hash ?? (await nobody));
    return isRight && known !== null;
  };

  return {
    prove: async (attempt) => {
      if (attempt.name.length > 128 || attempt.password.length > longestPassword) {
        throw wrong();
      }
      const counted = countersOf(options, attempt);
      demandRoom(counted);
      return inTurn(async () => {
        demandRoom(counted);
        if (!(await fits(attempt))) {
          for (const { limiter, key } of counted) {
            limiter.take(key);
          }
          throw wrong();
        }
        return attempt.name as UserId;
      });
    },
  };
};

type Counter = Readonly<{ limiter: RateLimiter; key: string }>;

const countersOf = (
  { limits, placeOf }: Options,
  { name, clientIp }: PasswordAttempt,
): readonly Counter[] => {
  const place = placeOf(clientIp);
  return [
    { limiter: limits.byPlace, key: place },
    { limiter: limits.byAccountAndPlace, key: `${place} ${name}` },
    { limiter: limits.byAccount, key: name },
  ];
};

const demandRoom = (counted: readonly Counter[]): void => {
  for (const { limiter, key } of counted) {
    const { allowed, retryAfterMs } = limiter.peek(key);
    if (!allowed) {
      throw tooMany(retryAfterMs);
    }
  }
};

const wrong = (): Refusal =>
  new Refusal(
    "forbidden",
    "Name and password do not fit. Ask the operator of this relay for help.",
  );

const tooMany = (retryAfterMs: number): Refusal =>
  new Refusal("rate_limited", "Too many failed sign-ins. Please wait before trying again.", {
    retryAfterSeconds: Math.max(1, Math.ceil(retryAfterMs / 1000)),
  });
