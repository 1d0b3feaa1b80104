/**
 * One configurable value: its name, how text becomes a value, and what the docs say.
 * The tables in settings/ are the only place that knows the names; docs/configuration.md
 * and .env.example are generated from them.
 */
export type Setting<Value> = Readonly<{
  /** Environment variable. */
  name: string;
  /** Dotted key in `claude-relay-config.json`. */
  fileKey: string;
  /** It counts from the environment alone; in the file it is a fault. */
  environmentOnly?: true;
  /** @throws Fault with what is wrong and the remedy, without the name and without echoing secrets. */
  parse: (text: string) => Value;
  /** Used when nothing is set. */
  fallback: Value;
  /** The default as the docs show it. */
  shown: string;
  /** One or two plain sentences. */
  about: string;
  /** An example for .env.example. */
  example?: string;
}>;

/** Holds an entry of a table to its `Value`, which a plain object literal would narrow or widen. */
export const define = <Value>(setting: Setting<Value>): Setting<Value> => setting;

export const minute = 60_000;
export const hour = 60 * minute;

/** A value that cannot be used; the message is the remedy. */
export class Fault extends Error {}

export const text = (value: string): string => value;

export const wholeNumber =
  (min: number, max: number) =>
  (value: string): number => {
    const parsed = /^\d+$/.test(value) ? Number(value) : Number.NaN;
    if (!(parsed >= min && parsed <= max)) {
      throw new Fault(`must be a whole number from ${min} to ${max}, not "${value}"`);
    }
    return parsed;
  };

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Milliseconds, or a number with a unit: `90000`, `90s`, `10m`, `1h`. */
export const duration =
  (minMs: number, maxMs: number) =>
  (value: string): number => {
    const parsed = durationOf(value, "ms");
    if (!(parsed >= minMs && parsed <= maxMs)) {
      throw new Fault(
        `must be milliseconds or a number with ms, s, m or h, from ${minMs} to ${maxMs} ms, not "${value}"`,
      );
    }
    return parsed;
  };

/** A duration in milliseconds, but a bare number means seconds. */
export const seconds =
  (min: number, max: number) =>
  (value: string): number => {
    const parsed = durationOf(value, "s");
    if (!(parsed >= min * 1000 && parsed <= max * 1000)) {
      throw new Fault(
        `must be seconds or a number with ms, s, m or h, from ${min} to ${max} s, not "${value}"`,
      );
    }
    return parsed;
  };

/** Milliseconds; NaN for what is no duration. */
const durationOf = (value: string, bareUnit: string): number => {
  const match = /^(\d+)(ms|s|m|h)?$/.exec(value);
  return match ? Number(match[1]) * (unitMs[match[2] ?? bareUnit] ?? 1) : Number.NaN;
};

const unitBytes: Readonly<Record<string, number>> = { "": 1, kib: 1024, mib: 1024 ** 2 };

/** Bytes, or a number with a unit: `33554432`, `32MiB`. */
export const byteCount =
  (min: number, max: number) =>
  (value: string): number => {
    const match = /^(\d+)\s*(kib|mib)?$/i.exec(value);
    const parsed = match
      ? Number(match[1]) * (unitBytes[(match[2] ?? "").toLowerCase()] ?? 1)
      : Number.NaN;
    if (!(parsed >= min && parsed <= max)) {
      throw new Fault(
        `must be bytes or a number with KiB or MiB, from ${min} to ${max}, not "${value}"`,
      );
    }
    return parsed;
  };

export const oneOf =
  <Choice extends string>(...choices: readonly Choice[]) =>
  (value: string): Choice => {
    const found = choices.find((choice) => choice === value);
    if (found === undefined) {
      throw new Fault(`must be one of ${choices.join(", ")}, not "${value}"`);
    }
    return found;
  };

/** Three numbers: `1.2.3`. */
export const version = (value: string): string => {
  if (!/^\d{1,9}\.\d{1,9}\.\d{1,9}$/.test(value)) {
    throw new Fault(`must be a version of three numbers such as 1.2.3, not "${value}"`);
  }
  return value;
};

export const yesOrNo = (value: string): boolean => oneOf("true", "false")(value) === "true";

/** An http or https address without credentials, query or fragment; the trailing slash is dropped. */
export const httpUrl = (value: string): string => {
  const url = URL.canParse(value) ? new URL(value) : null;
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw new Fault("must be an http:// or https:// address");
  }
  if (url.username || url.password || url.search || url.hash) {
    throw new Fault("must hold no user name, password, query or fragment");
  }
  return url.href.replace(/\/+$/, "");
};

/** Comma-separated, blanks dropped. */
export const list = (value: string): readonly string[] =>
  value
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");

const placeholder = /^sk-ant-\.\.\.$|^your-|^<.*>$|^changeme$|^paste the output/i;

/** True for what stands in documentation where a secret is to be put. */
export const isPlaceholder = (value: string): boolean => placeholder.test(value);

export const isShellExpression = (value: string): boolean =>
  value.startsWith("$(") || value.startsWith("`");

export const shellFault = (): Fault =>
  new Fault(
    "holds a shell expression, and .env files are not run by a shell: run the command and paste what it prints",
  );

/** A secret of at least `bytes` bytes that is neither a placeholder nor an unexpanded shell expression. */
export const secret =
  (bytes: number) =>
  (value: string): string => {
    if (isShellExpression(value)) {
      throw shellFault();
    }
    if (isPlaceholder(value)) {
      throw new Fault("still holds the placeholder of the documentation: put the real value in");
    }
    if (Buffer.byteLength(value) < bytes) {
      throw new Fault(
        `must be at least ${bytes} bytes long; make one with: openssl rand -base64 32`,
      );
    }
    return value;
  };
