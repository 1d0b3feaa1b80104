/** What is pasted into a router's terminal: RouterOS script, plain ASCII. */

/** What the lines need to say; `url` is null when it is not known here. */
type Known = Readonly<{ id: string; secret: string; url: string | null }>;

/** Sets who the router is, what it signs with and where the relay is. Id, secret and URL are checked before. */
export const routerLines = ({ id, secret, url }: Known): readonly string[] => [
  ":global ClaudeRelayEnabled true",
  url === null
    ? '# Say where the relay is: :global ClaudeRelayURL "http://ADDRESS:8899", or :global ClaudeRelayUseCloud true'
    : `:global ClaudeRelayURL "${url}"`,
  `:global ClaudeRelayRouterId "${id}"`,
  `:global ClaudeRelayHandshakeSecret "${secret}"`,
];

/** What a person does then. */
export const nextSteps: readonly string[] = [
  "Set the same in the router's script bot-config, or a reboot forgets it. Then, on the router, shake hands:",
  "  /system/script/run modules/claude-relay",
  "  :global ClaudeRelayInitCloud",
  "  [$ClaudeRelayInitCloud]",
];
