import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, it } from "node:test";
import { epochMs, type RouterId } from "@claude-relay/contract";
import { createChallengeBook } from "./challenge-book.ts";
import { createNonceBook } from "./nonce-book.ts";
import { createSessionBook } from "./session-book.ts";
import { refusalOf, setupGate } from "./testing/gate-setup.ts";
import { handshakeBody } from "./testing/router-side.ts";

const router = (name: string): RouterId => name as RouterId;
const office = router("office");

const handClock = () => {
  const at = { wall: 1_790_000_000_000, monotonic: 0 };
  return { at, clock: { now: () => epochMs(at.wall), monotonicMs: () => at.monotonic } };
};

describe("the nonce book", () => {
  it("remembers each router's nonces for ten minutes, by both clocks", () => {
    const { at, clock } = handClock();
    const book = createNonceBook({ clock });
    assert.equal(book.remember(office, "a"), true);
    assert.equal(book.has(office, "a"), true);
    assert.equal(book.has(router("branch"), "a"), false);
    at.wall += 86_400_000;
    assert.equal(book.has(office, "a"), true);
    at.wall -= 86_400_000;
    at.monotonic += 600_001;
    assert.equal(book.has(office, "a"), true);
    at.wall += 600_000;
    assert.equal(book.has(office, "a"), true);
    at.wall += 1;
    assert.equal(book.has(office, "a"), false);
    assert.equal(book.size, 0);
  });

  it("is bounded for one router without harm to others, and for all", () => {
    const { at, clock } = handClock();
    const book = createNonceBook({ clock, maxPerRouter: 3, maxNonces: 5 });
    const flood = (name: string, from: number) =>
      Array.from({ length: 10 }, (_, n) => book.remember(router(name), `${from + n}`));
    assert.equal(flood("greedy", 0).filter(Boolean).length, 3);
    assert.equal(book.remember(office, "a"), true);
    assert.equal(flood("another", 0).filter(Boolean).length, 1);
    assert.equal(book.size, 5);
    // Full: what is known stays known, so that nothing can be replayed.
    assert.equal(book.has(router("greedy"), "0"), true);
    at.wall += 600_001;
    at.monotonic += 600_001;
    assert.equal(book.remember(router("late"), "a"), true);
    assert.equal(book.size, 1);
  });

  it("keeps the names of prototypes apart like any other", () => {
    const { clock } = handClock();
    const book = createNonceBook({ clock });
    for (const name of ["__proto__", "constructor"]) {
      assert.equal(book.has(router(name), "__proto__"), false);
      book.remember(router(name), "__proto__");
      assert.equal(book.has(router(name), "__proto__"), true);
    }
  });
});

describe("a flood of handshakes by strangers", () => {
  it("leaves no nonce, no challenge and no session behind, and the router gets in", async () => {
    const setup = setupGate();
    const secret = setup.registry.add("office");
    const challenges = Array.from(
      { length: 20_000 },
      () => setup.gate.challenge("203.0.113.9")["challenge"],
    );
    for (const challenge of challenges) {
      const body = handshakeBody("a guess", { challenge });
      const refusal = await refusalOf(() => setup.gate.handshake(body, "203.0.113.9"));
      assert.equal(refusal.code, "signature_invalid");
    }
    assert.equal(new Set(challenges).size, 20_000);
    assert.deepEqual(setup.registry.admitted, []);
    const body = handshakeBody(secret, { challenge: challenges[0] });
    const answer = await setup.gate.handshake(body, "192.168.88.1");
    assert.equal(answer.success, true);
  });
});

describe("a router with a good secret that floods", () => {
  it("is refused when its nonces have no more room, and not forgotten", async () => {
    const setup = setupGate();
    const secret = setup.registry.add("office");
    const first = handshakeBody(secret);
    await setup.gate.handshake(first, "192.168.88.1");
    for (let count = 1; count < 500; count += 1) {
      await setup.gate.handshake(handshakeBody(secret), "192.168.88.1");
    }
    const codeOf = async (body: unknown) =>
      (await refusalOf(() => setup.gate.handshake(body, "192.168.88.1"))).code;
    assert.equal(await codeOf(handshakeBody(secret)), "rate_limited");
    assert.equal(await codeOf(first), "nonce_reused");
    const branch = setup.registry.add("branch");
    const body = handshakeBody(branch, { router_id: "branch" });
    assert.equal((await setup.gate.handshake(body, "192.168.88.1")).success, true);
  });
});

describe("the challenge book", () => {
  const setup = () => {
    const { at, clock } = handClock();
    return { at, book: createChallengeBook({ clock, randomBytes }) };
  };

  it("keeps nothing of what it gives out, and used ones only while they could be good", () => {
    const { at, book } = setup();
    const given = Array.from({ length: 1000 }, () => book.issue());
    assert.equal(book.size, 0);
    for (const challenge of given.slice(0, 10)) {
      book.use(challenge);
    }
    assert.equal(book.size, 10);
    assert.equal(book.isGood(given[0]!), false);
    assert.equal(book.isGood(given[10]!), true);
    at.monotonic += 60_000;
    const late = book.issue();
    book.use(late);
    assert.equal(book.size, 1);
  });

  it("knows its own from another process's, and from changed ones", () => {
    const { book } = setup();
    const challenge = book.issue();
    assert.equal(setup().book.isGood(challenge), false);
    for (let index = 2; index < challenge.length; index += 1) {
      const digit = challenge[index] === "0" ? "1" : "0";
      const changed = challenge.slice(0, index) + digit + challenge.slice(index + 1);
      assert.equal(book.isGood(changed), false);
    }
    assert.equal(book.isGood(challenge), true);
  });
});

describe("the session book", () => {
  const setup = (maxPerRouter: number, maxSessions: number) =>
    createSessionBook({ clock: { monotonicMs: () => 0 }, maxPerRouter, maxSessions });
  const begin = (book: ReturnType<typeof setup>, id: string, name = "office") =>
    book.begin({ id, routerId: router(name), generation: 1, signed: null });

  it("ends a router's longest unused session when it has too many, and nobody else's", () => {
    const book = setup(2, 100);
    begin(book, "other", "branch");
    const first = begin(book, "1");
    begin(book, "2");
    book.touch(first);
    begin(book, "3");
    const kinds = ["1", "2", "3", "other"].map((id) => book.find(id).kind);
    assert.deepEqual(kinds, ["live", "unknown", "live", "live"]);
  });

  it("is bounded over all routers", () => {
    const book = setup(2, 3);
    for (let count = 0; count < 50; count += 1) {
      begin(book, `s${count}`, `r${count}`);
    }
    assert.equal(book.size, 3);
    assert.equal(book.find("s49").kind, "live");
    book.end("s49");
    book.end("never");
    assert.equal(book.size, 2);
  });
});
