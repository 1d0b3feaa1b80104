/** With what Claude Code shows itself to Anthropic. It decides the mode: only an API key goes with `--bare`. */
export type CliCredential =
  | { readonly kind: "api_key"; readonly key: string }
  /** From `claude setup-token`. */
  | { readonly kind: "oauth_token"; readonly token: string }
  /** The operator's own `claude` login: its config directory, or the home that holds `.claude`. */
  | { readonly kind: "stored_login"; readonly home: string; readonly configDir: string | null };

/** What `system/init` names as the key's source under each credential. Anything else came from elsewhere. */
export const keySourcesOf = (credential: CliCredential): readonly string[] => {
  switch (credential.kind) {
    case "api_key":
      return ["ANTHROPIC_API_KEY"];
    case "oauth_token":
      return ["none"];
    case "stored_login":
      return ["none", "/login managed key"];
  }
};
