import type { CliCredential } from "./credential.ts";
import type { Locks } from "./locks.ts";

/** The directories a process sees as its own. */
export type Places = Readonly<{
  home: string;
  /** Null: where Claude Code finds it under `home`. */
  config: string | null;
  tmp: string;
  work: string;
}>;

type Given = Readonly<{
  credential: CliCredential;
  places: Places;
  /** Instead of Anthropic's API: a gateway, or a simulator. */
  baseUrl: string | null;
}>;

/** The whole environment of a process, the credential in it: nothing is inherited. */
export const cliEnvironment = (
  { credential, places, baseUrl }: Given,
  locks: Locks,
): Record<string, string> => ({
  // With no git to find, no other program is ever started.
  PATH: "/nonexistent",
  HOME: places.home,
  ...(places.config === null ? {} : { CLAUDE_CONFIG_DIR: places.config }),
  TMPDIR: places.tmp,
  CLAUDE_CODE_TMPDIR: places.tmp,
  LANG: "C.UTF-8",
  TZ: "UTC",
  ...(baseUrl === null ? {} : { ANTHROPIC_BASE_URL: baseUrl }),
  ...credentialVariables(credential),
  ...(locks.core.has("no_file_mentions") ? { CLAUDE_CODE_DISABLE_FILE_MENTIONS: "1" } : {}),
  ...(locks.depth ? { ...quiet, ...oneRequest } : {}),
});

const credentialVariables = (credential: CliCredential): Record<string, string> => {
  switch (credential.kind) {
    case "api_key":
      return { ANTHROPIC_API_KEY: credential.key };
    case "oauth_token":
      return { CLAUDE_CODE_OAUTH_TOKEN: credential.token };
    case "stored_login":
      return {};
  }
};

/** Nothing is read, remembered, reported or updated on the side. */
const quiet = {
  CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
  CLAUDE_CODE_DISABLE_ATTACHMENTS: "1",
  CLAUDE_CODE_DISABLE_CLAUDE_MDS: "1",
  CLAUDE_CODE_DISABLE_AUTO_MEMORY: "1",
  CLAUDE_AGENT_SDK_DISABLE_BUILTIN_AGENTS: "1",
  DISABLE_AUTOUPDATER: "1",
};

/** One call is one request: no retry, no fallback to another model or mode, no compaction. */
const oneRequest = {
  CLAUDE_CODE_MAX_RETRIES: "0",
  CLAUDE_CODE_DISABLE_NONSTREAMING_FALLBACK: "1",
  CLAUDE_CODE_DISABLE_REFUSAL_RETRY: "1",
  CLAUDE_CODE_DISABLE_REFUSAL_FALLBACK: "1",
  CLAUDE_CODE_DISABLE_MODEL_ACCESS_FALLBACK: "1",
  CLAUDE_CODE_NO_MODEL_FALLBACK: "1",
  // Else a model id is quietly replaced by another one.
  CLAUDE_CODE_DISABLE_LEGACY_MODEL_REMAP: "1",
  // Else a 400 is tried again, one beta feature less each time.
  CLAUDE_CODE_DISABLE_EXPERIMENTAL_BETAS: "1",
  DISABLE_AUTO_COMPACT: "1",
};
