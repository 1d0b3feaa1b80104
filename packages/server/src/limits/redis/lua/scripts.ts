import { createHash } from "node:crypto";
import { ask } from "./ask.ts";
import { fill, forgetBudget, own, stands } from "./counters.ts";
import { counted, heartbeat, join, joined } from "./epoch.ts";
import {
  clock,
  expiry,
  finishing,
  hearing,
  holding,
  losing,
  present,
  redisTime,
  standing,
} from "./prelude.ts";
import { settle, tell } from "./settle.ts";

/** A Lua script as Redis knows it: by the SHA-1 of its text. */
export type Script = Readonly<{ name: string; lua: string; sha: string }>;

export type Scripts = ReturnType<typeof createScripts>;

/**
 * All scripts.
 * @param time Lua that sets `now`, in ms. Redis's own clock unless a test has another.
 */
export const createScripts = (time = redisTime) => {
  const script = (name: string, ...parts: readonly string[]): Script => {
    const lua = [clock(time), ...parts].join("\n");
    return { name, lua, sha: createHash("sha1").update(lua).digest("hex") };
  };
  return {
    ask: script("ask", present, expiry, holding, hearing, standing, ask),
    settle: script("settle", present, finishing, settle),
    tell: script("tell", present, finishing, holding, hearing, tell),
    join: script("join", join),
    joined: script("joined", present, joined),
    counted: script("counted", present, counted),
    heartbeat: script("heartbeat", present, finishing, losing, heartbeat),
    own: script("own", present, finishing, losing, holding, standing, own),
    fill: script("fill", present, expiry, finishing, holding, standing, fill),
    stands: script("stands", present, standing, stands),
    forget: script("forget", present, forgetBudget),
  };
};
