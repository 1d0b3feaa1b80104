import { AppErrorBody, PageFetchReply, PageFetchRequest, pageBytes } from "@claude-relay/contract";
import type { FastifyInstance } from "fastify";
import type { Log } from "../../pipeline/log.ts";
import type { PageLine } from "../../pipeline/page-line.ts";
import type { Page } from "../../pipeline/page-ports.ts";
import type { Clock } from "../../pipeline/types.ts";
import { clientIp } from "../client-ip.ts";
import { readJson } from "../read-json.ts";
import { offerToApps, type Taken } from "./app-door.ts";
import { checkedBody } from "./checked-body.ts";

export type FetchDoorDeps = Readonly<{
  line: PageLine;
  clock: Clock;
  log: Log;
  trustProxy: number;
}>;

const docs = {
  tags: ["Apps"],
  security: [{ bearer: [] }, { apiKey: [] }],
  summary: "Fetch a public web page",
  description: "Through this host; private addresses are refused on every redirect hop.",
  body: PageFetchRequest,
  response: { 200: PageFetchReply, "4xx": AppErrorBody, "5xx": AppErrorBody },
};

/** `POST /v1/fetch` */
export const fetchDoor = (app: FastifyInstance, deps: FetchDoorDeps): void =>
  offerToApps(app, "/v1/fetch", docs, deps, (taken) => walk(deps, taken));

const walk = async (deps: FetchDoorDeps, taken: Taken): Promise<void> => {
  const left = new AbortController();
  taken.res.on("close", () => left.abort(new Error("the caller left")));
  try {
    answer(taken, await fetched(deps, taken, left.signal));
  } catch (error) {
    // Nobody is there to be told, and it is no fault of ours.
    if (error !== left.signal.reason) {
      throw error;
    }
  }
};

const fetched = (deps: FetchDoorDeps, { id, raw }: Taken, signal: AbortSignal): Promise<Page> =>
  deps.line({
    id,
    headers: raw.headers,
    clientIp: clientIp(raw, deps.trustProxy),
    readRequest: async () => {
      const { url, max_bytes, strip, format } = checked(await readJson(raw, bodyLimit));
      return {
        url,
        maxBytes: max_bytes ?? pageBytes.default,
        strip: strip ?? true,
        format: format ?? "html",
        signal,
      };
    },
  });

const answer = ({ id, res }: Taken, page: Page): void => {
  const reply: PageFetchReply = {
    ok: true,
    request_id: id,
    status: page.status,
    final_url: page.finalUrl,
    content_type: page.contentType,
    truncated: page.truncated,
    html: page.html,
  };
  const bytes = Buffer.from(JSON.stringify(reply));
  res.writeHead(200, {
    "content-type": "application/json",
    "content-length": bytes.length,
    "request-id": id,
  });
  res.end(bytes);
};

const checked = checkedBody(PageFetchRequest);
const bodyLimit = 64 * 1024;
