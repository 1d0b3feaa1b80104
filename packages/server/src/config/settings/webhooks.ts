import { define, Fault, secret, yesOrNo } from "../setting.ts";

/** Quotes nothing: addresses of webhooks often hold a token. */
const receiver = (value: string): string => {
  const url = URL.canParse(value) ? new URL(value) : null;
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new Fault("must be an https:// address");
  }
  if (url.username || url.password || url.hash) {
    throw new Fault("must hold no user name, password or fragment");
  }
  return url.href;
};

/** Who is told of budget warnings: the `webhooks` keys of the file. */
export const webhookSettings = {
  webhookUrl: define<string | null>({
    name: "WEBHOOK_URL",
    fileKey: "webhooks.url",
    parse: receiver,
    fallback: null,
    shown: "none",
    about:
      "Gets a signed POST when 50, 80, 95 and 100 % of a budget are spent: see [webhooks](webhooks.md).",
    example: "https://hooks.example.com/claude-relay",
  }),
  webhookSecret: define<string | null>({
    name: "WEBHOOK_SECRET",
    fileKey: "webhooks.secret",
    parse: secret(32),
    fallback: null,
    shown: "none",
    about:
      "Signs those calls (HMAC-SHA256); required with `WEBHOOK_URL`. At least 32 bytes: `openssl rand -base64 32`.",
    example: "paste the output of: openssl rand -base64 32",
  }),
  webhookAllowPrivate: define({
    name: "WEBHOOK_ALLOW_PRIVATE",
    fileKey: "webhooks.allow_private",
    parse: yesOrNo,
    fallback: false,
    shown: "false",
    about:
      "`true` lets `WEBHOOK_URL` lead to this machine or your own network, and be http. Otherwise only public addresses are called, over https.",
  }),
} as const;
