import { createHash } from "node:crypto";
import { invalid } from "./api-error.ts";
import { blocksOf, countInputTokens, plainJson, tokensOfBlock, tokensOfTool } from "./tokens.ts";
import type { CacheControl, InputUsage, MessagesBody } from "./wire.ts";

/**
 * The simulated prompt cache. https://docs.anthropic.com/en/docs/build-with-claude/prompt-caching
 *
 * The input is a row of blocks: tools, then system, then messages. A block with `cache_control` is a
 * breakpoint: everything up to it is written, and later requests that begin the same way read it.
 * Simpler than the real one in one way: no prefix is too short to be cached.
 */
export type PromptCache = Readonly<{
  /**
   * Splits a body's input tokens into read, written and plain, and remembers what was written.
   * @param owner whose cache it is: nothing is shared between organizations
   */
  account(body: MessagesBody, owner: string): InputUsage;
  clear(): void;
}>;

type Ttl = "5m" | "1h";
type Entry = Readonly<{ ttl: Ttl; expiresAt: number }>;
type Block = Readonly<{ json: string; tokens: number; ttl: Ttl | null }>;
/** A place in the row: the hash of all before it, and how many tokens that is. */
type Position = Readonly<{ key: string; tokens: number; ttl: Ttl | null }>;

const lifetimeMs: Readonly<Record<Ttl, number>> = { "5m": 300_000, "1h": 3_600_000 };
const mostEntries = 10_000;
const mostBreakpoints = 4;
/** A breakpoint finds an earlier entry at most this many blocks before itself. */
const lookback = 20;

/** @param now milliseconds, for expiry */
export const createPromptCache = (now: () => number): PromptCache => {
  const entries = createEntries(now);

  const account = (body: MessagesBody, owner: string): InputUsage => {
    const total = countInputTokens(body);
    const blocks = rowOf(body);
    checkBreakpoints(blocks);
    const last = blocks.findLastIndex(({ ttl }) => ttl !== null);
    if (last < 0) {
      return usageOf(total, 0, { "5m": 0, "1h": 0 });
    }
    const positions = positionsOf(blocks.slice(0, last + 1), `${owner}\n${body.model}`);
    const hit = positions.findLast(
      ({ key }, index) => withinLookback(positions, index) && entries.isAlive(key),
    );
    const read = hit?.tokens ?? 0;
    if (hit !== undefined) {
      entries.refresh(hit.key);
    }
    return usageOf(total, read, write(positions, read, entries));
  };

  return { account, clear: entries.clear };
};

/** Writes an entry for every breakpoint. @returns the tokens written that were not read */
const write = (
  positions: readonly Position[],
  read: number,
  entries: ReturnType<typeof createEntries>,
): Readonly<Record<Ttl, number>> => {
  const written = { "5m": 0, "1h": 0 };
  let counted = read;
  for (const { key, tokens, ttl } of positions) {
    if (ttl !== null) {
      written[ttl] += Math.max(0, tokens - counted);
      counted = Math.max(counted, tokens);
      entries.put(key, ttl);
    }
  }
  return written;
};

/** What is cached, in order of use, so that the oldest is the first to go. */
const createEntries = (now: () => number) => {
  const entries = new Map<string, Entry>();
  const put = (key: string, ttl: Ttl): void => {
    entries.delete(key);
    entries.set(key, { ttl, expiresAt: now() + lifetimeMs[ttl] });
    const oldest = entries.keys().next();
    if (entries.size > mostEntries && !oldest.done) {
      entries.delete(oldest.value);
    }
  };
  const refresh = (key: string): void => {
    const entry = entries.get(key);
    if (entry !== undefined) {
      put(key, entry.ttl);
    }
  };
  const isAlive = (key: string): boolean => (entries.get(key)?.expiresAt ?? -Infinity) > now();
  return { put, refresh, isAlive, clear: (): void => entries.clear() };
};

const withinLookback = (positions: readonly Position[], index: number): boolean =>
  positions.slice(index, index + lookback + 1).some(({ ttl }) => ttl !== null);

const rowOf = (body: MessagesBody): readonly Block[] => {
  const row: Block[] = [];
  for (const tool of body.tools ?? []) {
    row.push({
      json: plainJson(tool),
      tokens: tokensOfTool(tool),
      ttl: ttlOf(tool["cache_control"]),
    });
  }
  const turns = [{ role: "system", content: body.system }, ...body.messages];
  for (const { role, content } of turns) {
    for (const block of blocksOf(content)) {
      const json = `${role}${plainJson(block)}`;
      row.push({ json, tokens: tokensOfBlock(block), ttl: ttlOf(block["cache_control"]) });
    }
  }
  const lastBlock = row.at(-1);
  const automatic = ttlOf(body.cache_control);
  // The top-level mark stands for one on the last block.
  return automatic === null || lastBlock === undefined
    ? row
    : [...row.slice(0, -1), { ...lastBlock, ttl: lastBlock.ttl ?? automatic }];
};

const ttlOf = (mark: unknown): Ttl | null => {
  if (typeof mark !== "object" || mark === null) {
    return null;
  }
  return (mark as CacheControl).ttl === "1h" ? "1h" : "5m";
};

const checkBreakpoints = (blocks: readonly Block[]): void => {
  const ttls = blocks.flatMap(({ ttl }) => (ttl === null ? [] : [ttl]));
  if (ttls.length > mostBreakpoints) {
    throw invalid(
      `A maximum of ${mostBreakpoints} blocks with cache_control may be provided. Found ${ttls.length}.`,
    );
  }
  const firstShort = ttls.indexOf("5m");
  if (firstShort >= 0 && ttls.lastIndexOf("1h") > firstShort) {
    throw invalid(
      "cache_control.ttl: a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block.",
    );
  }
};

const positionsOf = (blocks: readonly Block[], seed: string): readonly Position[] => {
  const hash = createHash("sha256").update(seed);
  let tokens = 0;
  return blocks.map((block) => {
    hash.update("\0").update(block.json);
    tokens += block.tokens;
    return { key: hash.copy().digest("base64"), tokens, ttl: block.ttl };
  });
};

const usageOf = (
  total: number,
  read: number,
  written: Readonly<Record<Ttl, number>>,
): InputUsage => ({
  input_tokens: total - read - written["5m"] - written["1h"],
  cache_creation_input_tokens: written["5m"] + written["1h"],
  cache_read_input_tokens: read,
  cache_creation: {
    ephemeral_5m_input_tokens: written["5m"],
    ephemeral_1h_input_tokens: written["1h"],
  },
});
