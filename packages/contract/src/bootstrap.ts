import { type Static, Type } from "typebox";

export const DeviceIdField = Type.String({
  pattern: "^[\\x20-\\x7e]{8,128}$",
  description: "8–128 printable ASCII characters: how the device names itself",
});

const DevicePublicKeyField = Type.String({
  pattern: "^[A-Za-z0-9_-]{43}$",
  description:
    "an Ed25519 public key: its 32 raw bytes in base64url, 43 characters without padding",
});

const AppVersionField = Type.String({
  maxLength: 64,
  description: "such as 1.2.3; held to MIN_APP_VERSION where it is of that form",
});

export const BootstrapRequest = Type.Object(
  {
    device_id: DeviceIdField,
    app_version: Type.Optional(AppVersionField),
    device_name: Type.Optional(
      Type.String({
        pattern: "^[^\\p{C}\\p{Zl}\\p{Zp}]{1,64}$",
        description:
          "1–64 characters: what people call the device, such as its host name. Becomes its label, unless it has one",
      }),
    ),
    enrollment_code: Type.Optional(Type.String({ maxLength: 128 })),
    device_public_key: Type.Optional(DevicePublicKeyField),
  },
  { description: "Unknown fields are ignored" },
);
export type BootstrapRequest = Static<typeof BootstrapRequest>;

/** How a device with a key renews its token. Without a key there is nothing to sign, and no body is needed. */
export const RefreshRequest = Type.Object(
  {
    app_version: Type.Optional(AppVersionField),
    timestamp: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 999_999_999_999,
        description: "whole seconds since 1970 in UTC",
      }),
    ),
    nonce: Type.Optional(
      Type.String({
        pattern: "^[A-Za-z0-9_-]{22,128}$",
        description: "22 to 128 characters of base64url, new for each request",
      }),
    ),
    signature: Type.Optional(
      Type.String({
        maxLength: 256,
        description:
          "the device key's Ed25519 signature, 64 bytes in base64url, over these lines joined by LF: claude-relay-refresh-v1, device_id, timestamp, nonce, SHA-256 of the old token in lower-case hex",
      }),
    ),
  },
  { description: "Unknown fields are ignored" },
);
export type RefreshRequest = Static<typeof RefreshRequest>;

export const WrapperToken = Type.Object({
  wrapper_token: Type.String({ description: "Credential for /v1/*; a JWT, opaque to callers" }),
  proxy_base_url: Type.String({ description: "Where to send requests" }),
  expires_at: Type.String({ format: "date-time" }),
});
export type WrapperToken = Static<typeof WrapperToken>;

export const BootstrapPending = Type.Object({
  status: Type.Literal("pending"),
  device_id: Type.String(),
  message: Type.String(),
});
export type BootstrapPending = Static<typeof BootstrapPending>;
