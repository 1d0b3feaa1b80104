/** A chat that is signed in at a relay of its own, with the simulator behind it. */
import type { TestContext } from "node:test";
import { type Setting, startSetting } from "../../../../test/harness/anthropic.ts";
import type { AppEvent } from "../../src/bridge/protocol.ts";
import { type Desk, type SignIn, signIn, sitDown } from "./chat-desk.ts";

export const deskDevice = "desk-device-0001";

export type Places = Setting & Readonly<{ desk: Desk; device: SignIn }>;

export const setUp = async (
  t: TestContext,
  env: Readonly<Record<string, string>> = {},
): Promise<Places> => {
  const setting = await startSetting({ env });
  t.after(() => setting.stop());
  const device = signIn(t, setting.relay.url, deskDevice);
  return { ...setting, device, desk: sitDown(t, { relay: device.access }) };
};

/** What the window has of an answer. */
export const deltasOf = (events: readonly AppEvent[], replyId: string): string =>
  events
    .map((event) => (event.type === "reply_delta" && event.replyId === replyId ? event.text : ""))
    .join("");

/** Begins a long answer and resolves when its first words are there. */
export const begin = async (desk: Desk, model = "claude-sim-paced:2000:10") => {
  const { id } = await desk.call["conversations.create"]({ model });
  await desk.call["chat.send"]({ conversationId: id, text: "Count for long." });
  const { replyId } = await desk.event("reply_delta", (event) => event.conversationId === id);
  return { id, replyId };
};

/** A request as upstream has seen it. */
export const bodyOf = ({ simulator }: Setting, index: number) =>
  JSON.parse(simulator.log.at(index)?.body.toString() ?? "null");
