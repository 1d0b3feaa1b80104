import { type Static, Type } from "typebox";
import { NullableString } from "./policy-fields.ts";

/** What `max_bytes` may be: bytes of the returned text in UTF-8. */
export const pageBytes = { default: 500_000, max: 2_000_000 } as const;

/** Longest `url`, in characters. */
export const maxPageUrlLength = 8_192;

/** `POST /v1/fetch`: a public web page, through this host. */
export const PageFetchRequest = Type.Object(
  {
    url: Type.String({
      minLength: 1,
      maxLength: maxPageUrlLength,
      description: "http or https, public",
    }),
    max_bytes: Type.Optional(
      Type.Integer({ minimum: 1, maximum: pageBytes.max, default: pageBytes.default }),
    ),
    strip: Type.Optional(
      Type.Boolean({
        default: true,
        description: "Drop scripts, styles, svg and comments; JSON-LD stays",
      }),
    ),
    format: Type.Optional(
      Type.Union([Type.Literal("html"), Type.Literal("text"), Type.Literal("markdown")]),
    ),
  },
  { additionalProperties: false },
);
export type PageFetchRequest = Static<typeof PageFetchRequest>;

export const PageFetchReply = Type.Object({
  ok: Type.Literal(true),
  request_id: Type.String(),
  status: Type.Integer({ description: "The page's own status" }),
  final_url: Type.String(),
  content_type: NullableString,
  truncated: Type.Boolean(),
  html: Type.String({ description: "In the wanted format" }),
});
export type PageFetchReply = Static<typeof PageFetchReply>;
