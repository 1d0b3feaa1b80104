import { define, oneOf, secret, version, wholeNumber } from "../setting.ts";

/** Secrets and who is let in: the `security` keys of the file. */
export const securitySettings = {
  jwtSecret: define<string | null>({
    name: "JWT_SECRET",
    fileKey: "security.jwt_secret",
    parse: secret(32),
    fallback: null,
    shown: "generated once into DATA_DIR (development, loopback only)",
    about:
      "Signs wrapper tokens (HS256), and routers' secrets are made from it. At least 32 bytes: `openssl rand -base64 32`. To change it: SECURITY.md.",
    example: "paste the output of: openssl rand -base64 32",
  }),
  jwtSecretPrevious: define<string | null>({
    name: "JWT_SECRET_PREVIOUS",
    fileKey: "security.jwt_secret_previous",
    parse: secret(32),
    fallback: null,
    shown: "none",
    about:
      "The secret before the last rotation: tokens signed with it stay valid until they expire, those of devices with a key can be renewed for `DEVICE_RENEWAL_DAYS` more, and routers' secrets made from it for as long as it stands here.",
  }),
  jwtExpirationHours: define({
    name: "JWT_EXPIRATION_HOURS",
    fileKey: "security.jwt_expiration_hours",
    parse: wholeNumber(1, 24 * 90),
    fallback: 24,
    shown: "24",
    about: "How long a wrapper token lives.",
  }),
  adminToken: define<string | null>({
    name: "ADMIN_TOKEN",
    fileKey: "security.admin_token",
    parse: secret(16),
    fallback: null,
    shown: "generated once into DATA_DIR and printed once (development, loopback only)",
    about: "Bearer token of the admin API. At least 16 bytes.",
    example: "paste the output of: openssl rand -base64 32",
  }),
  bootstrap: define<"open" | "code" | "approve" | null>({
    name: "BOOTSTRAP",
    fileKey: "security.bootstrap",
    parse: oneOf("open", "code", "approve"),
    fallback: null,
    shown: "open on loopback in development, else code",
    about:
      "Who gets a token at `/bootstrap`: `open` anyone on this machine, `code` whoever brings an enrollment code, `approve` whoever an admin approves.",
  }),
  deviceKeys: define<"optional" | "required">({
    name: "DEVICE_KEYS",
    fileKey: "security.device_keys",
    parse: oneOf("optional", "required"),
    fallback: "optional",
    shown: "optional",
    about:
      "Whether a device may do without a key of its own. A device with a key must sign each `/refresh`, so that a stolen token cannot be renewed.",
  }),
  deviceRenewalDays: define({
    name: "DEVICE_RENEWAL_DAYS",
    fileKey: "security.device_renewal_days",
    parse: wholeNumber(0, 365),
    fallback: 30,
    shown: "30",
    about:
      "A device that was off comes back by itself, without a new code or approval, when its token expired at most so many days ago: it signs `/refresh` with its key. Without a key an expired token is worth nothing. 0: never.",
  }),
  minAppVersion: define<string | null>({
    name: "MIN_APP_VERSION",
    fileKey: "security.min_app_version",
    parse: version,
    fallback: null,
    shown: "none",
    about:
      "The oldest version of an app that gets a token: one that states a lower `app_version` is refused at `/bootstrap` and `/refresh` and told to update. For honest apps, not a guard: what states none is let in.",
  }),
} as const;
