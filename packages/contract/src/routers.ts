import { type Static, Type } from "typebox";

/** How a session's requests and replies are signed. RouterOS computes SHA-512 itself, SHA-256 only in script. */
export const RouterMac = Type.Union([Type.Literal("hmac-sha256"), Type.Literal("hmac-sha512")], {
  description: '"hmac-sha256" or "hmac-sha512"',
});
export type RouterMac = Static<typeof RouterMac>;

const RouterIdField = Type.String({
  pattern: "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$",
  description: "1 to 64 letters, digits, dots, dashes and underscores, a letter or digit first",
});

// Control, direction and invisible characters would reach logs and terminals; half a character has no bytes to sign.
const IdentityField = Type.String({
  pattern: "^[^\\p{C}\\u2028\\u2029]*$",
  maxLength: 128,
  description:
    "text of at most 128 characters in UTF-8, without control, direction or invisible characters",
});

const TimestampField = Type.Union(
  [
    Type.Integer({ minimum: 0, maximum: 999_999_999_999 }),
    Type.String({ pattern: "^(0|[1-9][0-9]{0,11})$" }),
  ],
  { description: "whole seconds since 1970 in UTC, as a number or in decimal digits" },
);

/** Long enough for a secret sent by mistake: it is told apart from a signature later, and refused. */
const SignatureField = Type.String({
  minLength: 1,
  maxLength: 1024,
  description: "64 lower-case hexadecimal digits",
});

/** `POST /handshake`. Exactly one of `timestamp` and `challenge`; without a signature only on loopback. */
export const RouterHandshakeBody = Type.Object(
  {
    v: Type.Literal(1, { description: "the number 1" }),
    router_identity: IdentityField,
    router_id: RouterIdField,
    timestamp: Type.Optional(TimestampField),
    challenge: Type.Optional(
      Type.String({
        pattern: "^c_[0-9a-f]{32}$",
        description: "a challenge from GET /handshake/challenge, as it was given",
      }),
    ),
    nonce: Type.String({
      pattern: "^[A-Za-z0-9]{16,64}$",
      description: "16 to 64 letters and digits, sent as a JSON string",
    }),
    mac: Type.Optional(RouterMac),
    signature: Type.Optional(SignatureField),
  },
  { additionalProperties: false },
);
export type RouterHandshakeBody = Static<typeof RouterHandshakeBody>;

/** The older form, without `v`. Signed, it is good for nothing but a confirmation. */
export const LegacyRouterHandshakeBody = Type.Object(
  {
    router_identity: IdentityField,
    router_id: RouterIdField,
    timestamp: Type.Optional(TimestampField),
    signature: Type.Optional(SignatureField),
  },
  { additionalProperties: false },
);
export type LegacyRouterHandshakeBody = Static<typeof LegacyRouterHandshakeBody>;
