import { define, Fault, httpUrl, list, secret } from "../setting.ts";

const apiKeys = (value: string): readonly string[] => list(value).map(secret(8));

const adminKey = (value: string): string => {
  if (!/^sk-ant-admin[!-~]{8,}$/.test(secret(8)(value))) {
    throw new Fault(
      "is no Admin API key, which begins with sk-ant-admin: make one in the Claude Console, under Settings, Admin keys",
    );
  }
  return value;
};

/** Who answers: the `anthropic` keys of the file. */
export const anthropicSettings = {
  anthropicApiKeys: define<readonly string[]>({
    name: "ANTHROPIC_API_KEY",
    fileKey: "anthropic.api_key",
    parse: apiKeys,
    fallback: [],
    shown: "none: the built-in simulator answers (development, loopback only)",
    about:
      "The master key, which callers never see. Several, separated by commas, make a pool: a key that is answered 429 or 401 rests and the next one is used.",
    example: "sk-ant-...",
  }),
  anthropicAdminKey: define<string | null>({
    name: "ANTHROPIC_ADMIN_KEY",
    fileKey: "anthropic.admin_key",
    parse: adminKey,
    fallback: null,
    shown: "none",
    about:
      "An Admin API key of the same organization, for `claude-relay reconcile` alone: Anthropic's own figures are read with it, nothing is called. See docs/reconcile.md.",
    example: "sk-ant-admin...",
  }),
  anthropicBaseUrl: define({
    name: "ANTHROPIC_BASE_URL",
    fileKey: "anthropic.base_url",
    parse: httpUrl,
    fallback: "https://api.anthropic.com",
    shown: "https://api.anthropic.com",
    about: "Where the Messages API is. Used only with `ANTHROPIC_API_KEY`.",
  }),
} as const;
