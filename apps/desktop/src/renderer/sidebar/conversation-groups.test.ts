import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { groupConversations } from "./conversation-groups.ts";

const now = new Date(2026, 10, 21, 9, 0).getTime();
const at = (day: number, hour: number) => new Date(2026, 10, day, hour).getTime();
const one = (title: string, updatedAt: number) => ({
  id: title,
  title,
  model: "claude-a",
  updatedAt,
});

describe("the list of conversations", () => {
  it("stands under the days it is of, the newest first", () => {
    const groups = groupConversations(
      [
        one("last week", at(16, 12)),
        one("before midnight", at(20, 23)),
        one("after midnight", at(21, 0)),
        one("now", now),
        one("long ago", new Date(2024, 1, 1).getTime()),
      ],
      "",
      now,
    );
    assert.deepEqual(
      groups.map(({ name, conversations }) => [name, conversations.map(({ title }) => title)]),
      [
        ["Today", ["now", "after midnight"]],
        ["Yesterday", ["before midnight"]],
        ["Last 7 days", ["last week"]],
        ["Older", ["long ago"]],
      ],
    );
  });

  it("is searched by words of titles, without case and accents", () => {
    const all = [one("Café menu", now), one("Menu of the day", now), one("Logs", now)];
    const found = (search: string) =>
      groupConversations(all, search, now).flatMap(({ conversations }) =>
        conversations.map(({ title }) => title),
      );
    assert.deepEqual(found("cafe MENU"), ["Café menu"]);
    assert.deepEqual(found("  "), ["Café menu", "Menu of the day", "Logs"]);
    assert.deepEqual(found("nothing"), []);
  });
});
