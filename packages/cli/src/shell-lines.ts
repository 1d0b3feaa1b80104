/** The environment that points Anthropic's SDKs and Claude Code at a relay, as lines for a shell. */

export const shells = ["sh", "fish", "powershell"] as const;
export type Shell = (typeof shells)[number];

/** A variable to set; null: to unset. */
export type Variables = Readonly<Record<string, string | null>>;

/** What a program needs to speak to a relay, with that token. */
export const relayEnvironment = (url: string, token: string): Variables => ({
  ANTHROPIC_BASE_URL: url,
  ANTHROPIC_AUTH_TOKEN: token,
  // Clients would send it beside the token, and two different credentials are refused.
  ANTHROPIC_API_KEY: null,
});

/** Lines that set and unset the variables; whatever a value holds, the shell takes it as it is. */
export const shellLines = (variables: Variables, shell: Shell): string[] =>
  Object.entries(variables).map(([name, value]) =>
    value === null ? unsetLine(name, shell) : setLine(name, value, shell),
  );

const setLine = (name: string, value: string, shell: Shell): string => {
  switch (shell) {
    case "sh":
      return `export ${name}='${value.replaceAll("'", "'\\''")}'`;
    case "fish":
      return `set -gx ${name} '${value.replace(/['\\]/g, "\\$&")}'`;
    case "powershell":
      return `$env:${name} = '${value.replaceAll("'", "''")}'`;
  }
};

const unsetLine = (name: string, shell: Shell): string => {
  switch (shell) {
    case "sh":
      return `unset ${name}`;
    case "fish":
      return `set -e ${name}`;
    case "powershell":
      return `Remove-Item Env:${name} -ErrorAction SilentlyContinue`;
  }
};

/** The shell that someone is likely to run this in. */
export const usualShell = (environment: Readonly<Record<string, string | undefined>>): Shell => {
  if (/(^|\/)fish$/.test(environment["SHELL"] ?? "")) {
    return "fish";
  }
  return process.platform === "win32" ? "powershell" : "sh";
};

/** The same for someone to keep in a shell's profile: each new shell asks for a fresh token. */
export const sdkLines = (url: string, tokenCommand: string, shell: Shell): readonly string[] => {
  const [base = ""] = shellLines({ ANTHROPIC_BASE_URL: url }, shell);
  switch (shell) {
    case "sh":
      return [base, `export ANTHROPIC_AUTH_TOKEN="$(${tokenCommand})"`];
    case "fish":
      return [base, `set -gx ANTHROPIC_AUTH_TOKEN (${tokenCommand})`];
    case "powershell":
      return [base, `$env:ANTHROPIC_AUTH_TOKEN = $(& ${tokenCommand})`];
  }
};
