import { askForJson, type CallOptions } from "./json-answer.ts";
import type { Settings } from "./settings.ts";

export type FetchPageOptions = CallOptions &
  Readonly<{
    /** http or https, at a public address. */
    url: string;
    /** The most bytes of the page to give. The relay's default is 500,000, its limit 2,000,000. */
    maxBytes?: number | undefined;
    /** Drop scripts, styles, svg and comments; JSON-LD stays. The relay's default is true. */
    strip?: boolean | undefined;
    format?: "html" | "text" | "markdown" | undefined;
  }>;

export type Page = Readonly<{
  /** The page's own status, which may be an error. */
  status: number;
  /** Where redirects led to. */
  finalUrl: string;
  contentType: string | null;
  /** There was more than `maxBytes`. */
  truncated: boolean;
  /** The page in the wanted format. */
  html: string;
  requestId: string;
}>;

/** Fetches a public web page through the relay's host. */
export const requestPage = (settings: Settings, options: FetchPageOptions): Promise<Page> => {
  const { url, maxBytes, strip, format } = options;
  const body = { url, max_bytes: maxBytes, strip, format };
  const ask = { method: "POST", path: "/v1/fetch", body, repeatable: true } as const;
  return askForJson(settings, ask, pageFrom, options);
};

const pageFrom = (answer: Readonly<Record<string, unknown>>): Page | undefined => {
  const { ok, status, html, final_url: finalUrl, content_type: contentType } = answer;
  if (ok !== true || typeof status !== "number" || typeof html !== "string") {
    return undefined;
  }
  return {
    status,
    finalUrl: String(finalUrl ?? ""),
    contentType: typeof contentType === "string" ? contentType : null,
    truncated: answer["truncated"] === true,
    html,
    requestId: String(answer["request_id"] ?? ""),
  };
};
