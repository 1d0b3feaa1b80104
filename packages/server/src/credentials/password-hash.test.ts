import assert from "node:assert/strict";
import { test } from "node:test";
import { hashPassword, passwordFits } from "./password-hash.ts";

test("a password fits its own hash and no other does", async () => {
  const kept = await hashPassword("correct horse battery");
  assert.match(kept, /^scrypt\$32768\$8\$3\$[A-Za-z0-9_-]{22}\$[A-Za-z0-9_-]{43}$/);
  assert.equal(await passwordFits("correct horse battery", kept), true);
  assert.equal(await passwordFits("correct horse batterz", kept), false);
  assert.equal(await passwordFits("", kept), false);
});

test("the same password is kept differently for each", async () => {
  assert.notEqual(await hashPassword("correct horse"), await hashPassword("correct horse"));
});

test("a password is the same however its letters are composed", async () => {
  const kept = await hashPassword("Fahrvergnu\u0308gen");
  assert.equal(await passwordFits("Fahrvergn\u00fcgen", kept), true);
});

test("what is no hash of ours fits nothing", async () => {
  for (const kept of ["", "secret", "scrypt$1$1$1$$", "$2b$10$abcdefghijklmnopqrstuv"]) {
    assert.equal(await passwordFits("secret", kept), false);
  }
});
