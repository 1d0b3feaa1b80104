import { lockedSettings } from "./arguments.ts";
import type { Locks } from "./locks.ts";
import type { CliPrompt } from "./prompt.ts";

/** The ids by which a process answers the two requests that prepare a call. */
export const systemRequest = "system";
export const settingsRequest = "settings";

const line = (value: object): string => `${JSON.stringify(value)}\n`;

/**
 * What makes a waiting process this call's: its system prompt, model and `max_tokens`, over stdin as the
 * Agent SDK does it. Model and limit are set as flag settings: `set_model` would leave a trace in the prompt.
 */
export const preparingLines = ({ system, model, maxTokens }: CliPrompt): string =>
  line({
    type: "control_request",
    request_id: systemRequest,
    request: { subtype: "initialize", systemPrompt: system },
  }) +
  line({
    type: "control_request",
    request_id: settingsRequest,
    request: {
      subtype: "apply_flag_settings",
      settings: {
        ...lockedSettings,
        model,
        ...(maxTokens === null
          ? {}
          : { env: { CLAUDE_CODE_MAX_OUTPUT_TOKENS: String(maxTokens) } }),
      },
    },
  });

/** The prompt itself. */
export const promptLine = ({ prompt }: CliPrompt, locks: Locks): string =>
  line({
    type: "user",
    message: {
      role: "user",
      content: locks.core.has("leading_newline") ? `\n${prompt}` : prompt,
    },
  });
