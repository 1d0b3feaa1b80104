import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { createHostCookie } from "./cookies.ts";

/** One browser, by the random value of its cookie. */
export type BrowserKey = string;

type Opened = Readonly<{
  browser: BrowserKey;
  /** What a form shown there must hold. */
  token: string;
  /** The `set-cookie` to send with the form. */
  cookie: string;
}>;

type Checked =
  | { readonly ok: true; readonly browser: BrowserKey }
  | { readonly ok: false; readonly fault: string };

export interface FormGuard {
  /** @param known the browser, where it is known although its cookie was not sent */
  open(headers: IncomingHttpHeaders, known?: BrowserKey): Opened;
  /** Whether a form is ours, sent from our own page by the browser that was given it. */
  check(headers: IncomingHttpHeaders, token: string): Checked;
  /** For a link of a page of ours, which leads nobody but this browser to `text`. */
  linkToken(browser: BrowserKey, text: string): string;
  /** The browser, when it is the one that was shown such a link. */
  follows(headers: IncomingHttpHeaders, text: string, token: string): BrowserKey | null;
}

type Options = Readonly<{
  key: Buffer;
  /** The address people use. */
  baseUrl: () => string;
}>;

const lifetimeSeconds = 3600;

/**
 * Keeps foreign pages from sending our forms: each form holds a signature of a cookie that only the browser it
 * was shown in has, and the browser must not say that another site sent it. Where a browser sends several such
 * cookies, any may be meant: over https nobody else can set one, and over http it would be no better if one could.
 */
export const createFormGuard = ({ key, baseUrl }: Options): FormGuard => {
  const jar = createHostCookie({
    ...{ name: "relay-form", sameSite: "Strict", baseUrl },
    shape: /^[A-Za-z0-9_-]{43}$/,
  });
  const sign = (text: string): string => createHmac("sha256", key).update(text).digest("base64url");
  const signLink = (browser: string, text: string): string => sign(`link ${browser} ${text}`);

  return {
    open: (headers, known) => {
      const browser = known ?? jar.read(headers)[0] ?? randomBytes(32).toString("base64url");
      // Each time anew: whoever has the page open must not be turned away for a cookie that ran out.
      return { browser, token: sign(browser), cookie: jar.set(browser, lifetimeSeconds) };
    },
    check: (headers, token) => {
      if (!isOwnOrigin(headers, baseUrl())) {
        return { ok: false, fault: "This form was sent from another site." };
      }
      const browser = jar.read(headers).find((value) => same(sign(value), token));
      return browser === undefined ? { ok: false, fault: expired } : { ok: true, browser };
    },
    linkToken: signLink,
    follows: (headers, text, token) =>
      jar.read(headers).find((value) => same(signLink(value, text), token)) ?? null,
  };
};

const expired = "This form has expired, or your browser blocks cookies of this site. Start again.";

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
