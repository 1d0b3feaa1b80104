import type { ConversationSummary } from "../../bridge/conversation.ts";
import { ageGroup } from "../status/time-words.ts";

export type ConversationGroup = Readonly<{
  name: string;
  conversations: readonly ConversationSummary[];
}>;

/** The newest first, under the days they are of; only those whose title has all words of `search`. */
export const groupConversations = (
  conversations: readonly ConversationSummary[],
  search: string,
  now: number,
): readonly ConversationGroup[] => {
  const words = folded(search).split(/\s+/).filter(Boolean);
  const found = conversations
    .filter(({ title }) => words.every((word) => folded(title).includes(word)))
    .toSorted((one, other) => other.updatedAt - one.updatedAt);
  return [...Map.groupBy(found, ({ updatedAt }) => ageGroup(updatedAt, now))].map(
    ([name, group]) => ({ name, conversations: group }),
  );
};

/** Without case and accents: one finds "café" by "cafe". */
const folded = (text: string): string =>
  text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
