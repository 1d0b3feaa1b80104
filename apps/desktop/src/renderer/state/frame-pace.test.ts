import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createFramePace } from "./frame-pace.ts";

/** Frames whose pictures take as long as said, and whose time the test moves. */
const fakeFrames = () => {
  let now = 0;
  let pictureMs = 0;
  const waiting: { at: number; run: () => void }[] = [];
  const pictures: (() => void)[] = [];
  const pace = createFramePace({
    now: () => now,
    later: (run, afterMs) => void waiting.push({ at: now + afterMs, run }),
    beforePicture: (run) => void pictures.push(run),
    afterPicture: (run) => {
      now += pictureMs;
      run();
    },
  });
  return {
    pace,
    takes: (ms: number) => {
      pictureMs = ms;
    },
    /** To the next picture `ms` from now. */
    pass: (ms: number) => {
      now += ms;
      const due = waiting.filter(({ at }) => at <= now);
      for (const one of due) {
        waiting.splice(waiting.indexOf(one), 1);
        one.run();
      }
      for (const run of pictures.splice(0)) {
        run();
      }
    },
  };
};

describe("the pace of letters", () => {
  it("tells once a picture, however many letters came", () => {
    const frames = fakeFrames();
    let told = 0;
    const tell = () => {
      told += 1;
    };
    for (let letters = 0; letters < 100; letters += 1) {
      frames.pace(tell);
    }
    assert.equal(told, 0);
    frames.pass(16);
    assert.equal(told, 1);
    frames.pace(tell);
    frames.pass(16);
    assert.equal(told, 2);
  });

  it("rests after a picture that took long, so that the window can be used", () => {
    const frames = fakeFrames();
    let told = 0;
    const tell = () => {
      told += 1;
    };
    frames.takes(100);
    frames.pace(tell);
    frames.pass(0);
    assert.equal(told, 1);
    frames.pace(tell);
    frames.pass(150);
    assert.equal(told, 1);
    frames.pass(50);
    assert.equal(told, 2);
  });
});
