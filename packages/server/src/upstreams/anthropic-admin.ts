import type { EpochMs } from "@claude-relay/contract";
import { Agent, request } from "undici";
import type { BilledLine } from "../pipeline/reconcile.ts";
import type { BillingReports } from "../pipeline/reconciler.ts";
import { Refusal } from "../pipeline/refusal.ts";
import { isJsonObject } from "../pipeline/usage/usage.ts";
import {
  costLines,
  type ReportBucket,
  type ReportPage,
  readPage,
  StrangeReport,
  usageLines,
} from "./anthropic-admin-report.ts";

type Options = Readonly<{
  /** Without a trailing slash; a path in it stands before `/v1/…`. */
  baseUrl: string;
  /** An Admin API key (`sk-ant-admin…`): it opens nothing but reports here, and no messages key opens them. */
  adminKey: string;
  version: string;
  connectTimeoutMs: number;
  /** For each page, and for a silence within it. */
  pageTimeoutMs?: number;
  /** For all pages of both reports. */
  deadlineMs?: number;
}>;

type Call = Options & Readonly<{ dispatcher: Agent; signal: AbortSignal }>;
type Query = readonly (readonly [string, string])[];

/** The most buckets of a day that a page may have. */
const pageBuckets = 31;
/** Far more than the longest span needs, should upstream give shorter pages than asked for. */
const mostPages = 60;
const mostBytes = 16 * 1024 * 1024;

/**
 * Anthropic's Usage and Cost Admin API (or the simulator, which speaks it): the daily tokens by model, and the
 * daily cost by model and kind. A connection of its own, so that an operator's report never waits for callers.
 * https://platform.claude.com/docs/en/manage-claude/usage-cost-api
 */
export const createBillingReports = (options: Options): BillingReports => ({
  async read(from, to) {
    const dispatcher = new Agent({ connect: { timeout: options.connectTimeoutMs } });
    const signal = AbortSignal.timeout(options.deadlineMs ?? 100_000);
    try {
      return await readBoth({ ...options, dispatcher, signal }, from, to);
    } catch (error) {
      throw asRefusal(error);
    } finally {
      await dispatcher.destroy();
    }
  },
});

const readBoth = async (call: Call, from: EpochMs, to: EpochMs): Promise<readonly BilledLine[]> => {
  const span: Query = [
    ["starting_at", rfc3339(from)],
    ["ending_at", rfc3339(to)],
    ["bucket_width", "1d"],
    ["limit", String(pageBuckets)],
  ];
  const [usage, cost] = await Promise.all([
    readAll(call, "/v1/organizations/usage_report/messages", [...span, ["group_by[]", "model"]]),
    readAll(call, "/v1/organizations/cost_report", [...span, ["group_by[]", "description"]]),
  ]);
  const lines = [...usageLines(usage), ...costLines(cost)];
  const [first, end] = [rfc3339(from).slice(0, 10), rfc3339(to).slice(0, 10)];
  return lines.filter(({ day }) => first <= day && day < end);
};

const rfc3339 = (at: EpochMs): string => `${new Date(at).toISOString().slice(0, 19)}Z`;

/** Every page, in turn. @throws StrangeReport when they do not come to an end */
const readAll = async (call: Call, path: string, query: Query): Promise<ReportBucket[]> => {
  const buckets: ReportBucket[] = [];
  const seen = new Set<string>();
  let page: string | null = null;
  do {
    const turned: Query = page === null ? query : [...query, ["page", page]];
    const answer = await readOne(call, path, turned);
    buckets.push(...answer.buckets);
    page = answer.nextPage;
    if (page !== null && (seen.has(page) || seen.size >= mostPages)) {
      throw new StrangeReport("its pages do not come to an end");
    }
    seen.add(page ?? "");
  } while (page !== null);
  return buckets;
};

const readOne = async (call: Call, path: string, query: Query): Promise<ReportPage> => {
  const timeoutMs = call.pageTimeoutMs ?? 45_000;
  const search = new URLSearchParams(query.map(([name, value]) => [name, value]));
  const { statusCode, headers, body } = await request(`${call.baseUrl}${path}?${search}`, {
    method: "GET",
    headers: {
      accept: "application/json",
      "anthropic-version": "2023-06-01",
      "user-agent": `claude-relay/${call.version}`,
      "x-api-key": call.adminKey,
    },
    dispatcher: call.dispatcher,
    signal: call.signal,
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
  });
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > mostBytes) {
      throw new StrangeReport("a page is larger than 16 MiB");
    }
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString("utf8");
  if (statusCode !== 200) {
    throw refusalFor(statusCode, text, headers["retry-after"], call.adminKey);
  }
  return readPage(text);
};

const refusalFor = (
  status: number,
  text: string,
  retryAfter: string | string[] | undefined,
  adminKey: string,
): Refusal => {
  const said = saidIn(text, adminKey);
  switch (status) {
    case 401:
    case 403:
      return new Refusal(
        "conflict",
        `Anthropic does not take ANTHROPIC_ADMIN_KEY (${status}${said}): it must be an Admin API key of the organization whose API key the relay uses.`,
      );
    case 429: {
      const seconds = Number(retryAfter);
      return new Refusal("rate_limited", `Anthropic's Admin API is asked too often${said}.`, {
        retryAfterSeconds: Number.isFinite(seconds) && seconds > 0 ? Math.ceil(seconds) : 60,
      });
    }
    default:
      return new Refusal(
        "upstream_unreachable",
        `Anthropic's Admin API answered ${status}${said}. Is ANTHROPIC_BASE_URL Anthropic's own address?`,
      );
  }
};

/** The words of an error in Anthropic's shape, as far as they may be passed on. */
const saidIn = (text: string, adminKey: string): string => {
  try {
    const envelope: unknown = JSON.parse(text);
    const error = isJsonObject(envelope) ? envelope["error"] : null;
    const message = isJsonObject(error) ? error["message"] : null;
    const tellable = typeof message === "string" && !message.includes(adminKey);
    return tellable ? `: ${message.replace(/\p{Cc}+/gu, " ").slice(0, 200)}` : "";
  } catch {
    return "";
  }
};

const asRefusal = (error: unknown): unknown => {
  if (error instanceof Refusal || !(error instanceof Error)) {
    return error;
  }
  if (error instanceof StrangeReport) {
    return new Refusal(
      "upstream_unreachable",
      `Anthropic's Admin API answered in a shape this version does not know: ${error.message}.`,
    );
  }
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  if (error.name === "TimeoutError" || /^UND_ERR_\w+_TIMEOUT$/.test(code)) {
    return new Refusal(
      "upstream_timeout",
      "Anthropic's Admin API took too long: ask for fewer days.",
    );
  }
  if (code !== "") {
    // The code alone: messages may name addresses.
    return new Refusal(
      "upstream_unreachable",
      `Anthropic's Admin API cannot be reached (${code}).`,
    );
  }
  return error;
};
