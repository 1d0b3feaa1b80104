import { isIP } from "node:net";
import { maxPageUrlLength } from "@claude-relay/contract";
import { notAllowed, unreachable } from "../faults.ts";

const allowedPorts = new Set(["", "80", "443"]);

/** What WHATWG hosts are made of once they are names: it also lets `!$&'()*+,;=` through, which DNS names never have. */
const nameShape = /^(?=.{1,253}$)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*\.?$/;

/** C0 controls and DEL. WHATWG drops tabs and line ends silently: one reading is better. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const controls = /[\u0000-\u001f\u007f]/;

/**
 * Reads an address a caller or a redirect names: http or https, ports 80 and 443, no user name, a plain host.
 * Gives it without its fragment. @throws Refusal `invalid_request`
 */
export const readPageUrl = (text: string, base?: URL): URL => {
  if (text.length > maxPageUrlLength) {
    throw notAllowed(`longer than ${maxPageUrlLength} characters. Shorten it.`);
  }
  if (controls.test(text)) {
    throw notAllowed("holds control characters or line breaks. Remove or percent-encode them.");
  }
  const url = URL.parse(text, base);
  if (url === null) {
    throw notAllowed("not a valid address. Give a whole one, such as https://example.com/.");
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw notAllowed("only http and https addresses can be fetched.");
  }
  if (url.username !== "" || url.password !== "") {
    throw notAllowed("holds a user name or password. Remove it; none is ever sent.");
  }
  if (!allowedPorts.has(url.port)) {
    throw notAllowed("only ports 80 and 443 can be fetched.");
  }
  if (isIP(bareHost(url)) === 0 && !nameShape.test(url.hostname)) {
    throw notAllowed("the host is not a valid name.");
  }
  url.hash = "";
  return url;
};

/** The host as DNS and sockets take it: an IPv6 address without its brackets. */
export const bareHost = (url: URL): string =>
  url.hostname.startsWith("[") ? url.hostname.slice(1, -1) : url.hostname;

/**
 * Where a redirect leads. A step down from https to http is not followed: the caller asked for a page nobody
 * on the way can change. @throws Refusal
 */
export const readRedirect = (location: string, from: URL): URL => {
  const url = readPageUrl(asUtf8(location), from);
  if (from.protocol === "https:" && url.protocol === "http:") {
    throw notAllowed("redirects from https to http. Ask for the http address if that is wanted.");
  }
  return url;
};

/** Header values come as latin1; browsers read a Location as UTF-8. */
const asUtf8 = (header: string): string => {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.from(header, "latin1"));
  } catch {
    throw unreachable("redirects to an address that is not valid UTF-8.");
  }
};
