import {
  type CompleteOptions,
  type JsonOptions,
  requestCompletion,
  type TextOptions,
} from "./completion.ts";
import { type CompletionStream, openCompletionStream } from "./completion-stream.ts";
import type { CallOptions } from "./json-answer.ts";
import { type Model, requestModels } from "./models.ts";
import { type FetchPageOptions, type Page, requestPage } from "./page.ts";
import { requireServerSide } from "./server-side.ts";
import {
  type ClientOptions,
  type Settings,
  settingsFrom,
  settingsFromEnvironment,
} from "./settings.ts";

/** The text; with `outputFormat: "json"` or `jsonSchema` the answer's JSON value, whose type is yours to name. */
export type Complete = {
  (options: TextOptions): Promise<string>;
  <T = unknown>(options: JsonOptions): Promise<T>;
  (options: CompleteOptions): Promise<unknown>;
};

/** Every call throws a RelayError when it fails, or the reason of your own signal. */
export type Client = Readonly<{
  complete: Complete;
  streamComplete(options: CompleteOptions): CompletionStream;
  fetchPage(options: FetchPageOptions): Promise<Page>;
  models(options?: CallOptions): Promise<Model[]>;
}>;

/**
 * A client for one relay. Throws RelayConfigurationError when the settings cannot be used, and in a browser.
 * The key stays inside: neither the client nor an error shows it.
 */
export const createClient = (options: ClientOptions): Client => {
  requireServerSide();
  const settings = settingsFrom(options);
  return clientWith(() => settings);
};

/** What the module's own functions do: CLAUDE_RELAY_URL and CLAUDE_RELAY_KEY count as they are at each call. */
const fromEnvironment = (): Settings => {
  requireServerSide();
  return settingsFromEnvironment();
};

const clientWith = (settings: () => Settings): Client => ({
  // The overloads say what comes out for which options; requestCompletion checks it against the wire.
  complete: (async (options: CompleteOptions) =>
    requestCompletion(settings(), options)) as Complete,
  streamComplete: (options) => openCompletionStream(settings(), options),
  fetchPage: async (options) => requestPage(settings(), options),
  models: async (options = {}) => requestModels(settings(), options),
});

/** The same functions for the relay that CLAUDE_RELAY_URL and CLAUDE_RELAY_KEY name, as they are at each call. */
export const { complete, streamComplete, fetchPage, models }: Client = clientWith(fromEnvironment);
