import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";

/** A form's token, and the cookie to set when the browser has none. */
type Opened = Readonly<{ token: string; cookie: string | null }>;

export interface FormGuard {
  open(headers: IncomingHttpHeaders): Opened;
  /** Null when the form is ours, sent from our own page by the browser that was given it; else why not. */
  fault(headers: IncomingHttpHeaders, token: string): string | null;
}

type Options = Readonly<{
  key: Buffer;
  /** The address people use. */
  baseUrl: () => string;
}>;

/**
 * Keeps foreign pages from sending our forms: each form holds a signature of a cookie that only the browser it
 * was shown in has, and the browser must not say that another site sent it.
 */
export const createFormGuard = ({ key, baseUrl }: Options): FormGuard => {
  const isSecure = (): boolean => baseUrl().startsWith("https:");
  // The prefix has browsers refuse the cookie from anyone but this very host.
  const nameOf = (): string => (isSecure() ? "__Host-relay-form" : "relay-form");
  const sign = (value: string): string =>
    createHmac("sha256", key).update(value).digest("base64url");

  return {
    open: (headers) => {
      const known = cookieOf(headers.cookie, nameOf());
      if (known !== null) {
        return { token: sign(known), cookie: null };
      }
      const value = randomBytes(32).toString("base64url");
      const secure = isSecure() ? "; Secure" : "";
      return {
        token: sign(value),
        cookie: `${nameOf()}=${value}; Path=/; Max-Age=3600; HttpOnly; SameSite=Strict${secure}`,
      };
    },
    fault: (headers, token) => {
      if (!isOwnOrigin(headers, baseUrl())) {
        return "This form was sent from another site.";
      }
      const value = cookieOf(headers.cookie, nameOf());
      return value !== null && same(sign(value), token)
        ? null
        : "This form has expired, or your browser blocks cookies of this site. Start again.";
    },
  };
};

const cookieOf = (header: string | undefined, name: string): string | null => {
  const values = (header ?? "")
    .split(";")
    .map((part) => part.trim())
    .filter((part) => part.startsWith(`${name}=`))
    .map((part) => part.slice(name.length + 1));
  const [value] = values;
  return values.length === 1 && value !== undefined && /^[A-Za-z0-9_-]{43}$/.test(value)
    ? value
    : null;
};

/** What every browser of today says of where a form comes from; one that says nothing has the cookie alone. */
const isOwnOrigin = (headers: IncomingHttpHeaders, baseUrl: string): boolean => {
  const site = headers["sec-fetch-site"];
  if (site !== undefined && site !== "same-origin") {
    return false;
  }
  const { origin, host } = headers;
  if (origin === undefined) {
    return true;
  }
  if (!URL.canParse(origin)) {
    return false;
  }
  return new URL(origin).host === host || origin === new URL(baseUrl).origin;
};

const same = (expected: string, given: string): boolean => {
  const [a, b] = [Buffer.from(expected), Buffer.from(given)];
  return a.length === b.length && timingSafeEqual(a, b);
};
