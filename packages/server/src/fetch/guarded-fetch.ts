import type { Page, PageRequest } from "../pipeline/page-ports.ts";
import { tooSlow, unreachable } from "./faults.ts";
import { type DialPorts, dial } from "./guard/dial.ts";
import { type Answer, exchange, pageRequest } from "./guard/exchange.ts";
import { readPageUrl, readRedirect } from "./guard/page-url.ts";
import { type HostPorts, publicAddresses } from "./guard/public-host.ts";
import { type BodyRead, readBody } from "./guard/read-body.ts";
import type { FetchLimits } from "./limits.ts";
import { checkMediaType, readMediaType } from "./media-type.ts";
import type { Rendered, RenderJob } from "./render/render-page.ts";

/**
 * What the fetch needs of the world. Only page-fetch.ts fills it in for the server, and nothing a caller or the
 * environment says changes it; tests fill it in otherwise to reach a server of their own.
 */
export type FetchPorts = HostPorts &
  DialPorts &
  Readonly<{
    render(job: RenderJob, signal: AbortSignal): Promise<Rendered>;
    userAgent: string;
    limits: FetchLimits;
  }>;

/** A page as its server gave it. */
type RawPage = BodyRead & Readonly<{ url: URL; status: number; contentType: string | null }>;

/**
 * Fetches a page: each hop's address is read, resolved, checked and pinned anew, then the text is rendered.
 * @throws Refusal, or the request signal's reason when the caller left
 */
export const guardedFetch = async (request: PageRequest, ports: FetchPorts): Promise<Page> => {
  const clock = new AbortController();
  const timer = setTimeout(() => clock.abort(), ports.limits.totalMs);
  const signal = AbortSignal.any([request.signal, clock.signal]);
  try {
    signal.throwIfAborted();
    const page = await followHops(readPageUrl(request.url), ports, signal);
    return await render(page, request, ports, signal);
  } catch (error) {
    request.signal.throwIfAborted();
    throw clock.signal.aborted
      ? tooSlow("the page took too long altogether. Try again later.")
      : error;
  } finally {
    clearTimeout(timer);
  }
};

const followHops = async (start: URL, ports: FetchPorts, signal: AbortSignal): Promise<RawPage> => {
  let url = start;
  for (let hops = 0; hops <= ports.limits.redirects; hops += 1) {
    const answer = await oneHop(url, ports, signal);
    if (!(answer instanceof URL)) {
      return answer;
    }
    url = answer;
  }
  throw unreachable(
    `redirects more than ${ports.limits.redirects} times. Ask for the address it should end at.`,
  );
};

/** One request to one host: the page, or where it redirects to. */
const oneHop = async (url: URL, ports: FetchPorts, signal: AbortSignal): Promise<RawPage | URL> => {
  const { limits, userAgent } = ports;
  const addresses = await publicAddresses(url, ports, signal);
  const socket = await dial(url, addresses, ports, limits.connectMs, signal);
  return exchange(url, socket, limits, pageRequest(userAgent), signal, async (answer) => {
    const location = redirectOf(answer);
    return location === null ? readPage(url, answer, limits) : readRedirect(location, url);
  });
};

const redirects = new Set([301, 302, 303, 307, 308]);

/** A `refresh` header or meta is no redirect: it is part of the page. */
const redirectOf = ({ status, headers }: Answer): string | null => {
  const location: string | string[] | undefined = headers.location;
  if (!redirects.has(status) || location === undefined) {
    return null;
  }
  if (Array.isArray(location)) {
    throw unreachable("redirects to several addresses at once.");
  }
  return location;
};

const readPage = async (
  url: URL,
  { status, headers, body }: Answer,
  limits: FetchLimits,
): Promise<RawPage> => {
  const contentType = onlyOne(headers["content-type"]);
  checkMediaType(contentType);
  const read = await readBody(body, onlyOne(headers["content-encoding"], ","), limits.readBytes);
  return { ...read, url, status, contentType };
};

const render = async (
  page: RawPage,
  request: PageRequest,
  ports: FetchPorts,
  signal: AbortSignal,
): Promise<Page> => {
  const job: RenderJob = {
    ...readMediaType(page.contentType, page.bytes),
    bytes: page.bytes,
    url: page.url.href,
    format: request.format,
    strip: request.strip,
    maxBytes: request.maxBytes,
  };
  const rendered = await ports.render(job, signal);
  return {
    status: page.status,
    finalUrl: page.url.href,
    truncated: page.truncated || rendered.truncated,
    html: rendered.text,
    contentType: page.contentType,
  };
};

/** undici gives a header that came twice as a list: encodings add up, of a type the last counts (WHATWG Fetch). */
const onlyOne = (value: string | string[] | undefined, join?: ","): string | null => {
  const values = [value ?? []].flat();
  return join === undefined ? (values.at(-1) ?? null) : values.join(join);
};
