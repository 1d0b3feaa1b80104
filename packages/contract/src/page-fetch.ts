import { type Static, Type } from "typebox";
import { NullableString } from "./policy-fields.ts";

/** `POST /v1/fetch`: a public web page, through this host. */
export const PageFetchRequest = Type.Object(
  {
    url: Type.String({ minLength: 1, maxLength: 8192, description: "http or https, public" }),
    max_bytes: Type.Optional(Type.Integer({ minimum: 1, maximum: 2_000_000, default: 500_000 })),
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
