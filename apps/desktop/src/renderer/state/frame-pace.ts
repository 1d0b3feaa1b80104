/** What a pace needs of the browser. */
export type Frames = Readonly<{
  /** Milliseconds that only grow. */
  now(): number;
  later(run: () => void, afterMs: number): void;
  /** Runs before the next picture, or soon where none is drawn. */
  beforePicture(run: () => void): void;
  /** Runs when the picture is drawn. */
  afterPicture(run: () => void): void;
}>;

/** After a picture that took long the window rests this many times as long, so that it stays usable. */
const restFactor = 2;

/**
 * Gives what runs `tell` at most once a picture, and more rarely when pictures take long: an answer of
 * hundreds of kilobytes must not take the whole machine.
 */
export const createFramePace = (frames: Frames): ((tell: () => void) => void) => {
  let isAsked = false;
  let restsUntil = 0;
  const draw = (tell: () => void) => {
    const from = frames.now();
    isAsked = false;
    tell();
    frames.afterPicture(() => {
      restsUntil = frames.now() + (frames.now() - from) * restFactor;
    });
  };
  return (tell) => {
    if (isAsked) {
      return;
    }
    isAsked = true;
    frames.later(
      () => frames.beforePicture(() => draw(tell)),
      Math.max(0, restsUntil - frames.now()),
    );
  };
};

/** The browser's own frames. A hidden window draws none, so a timer stands in. */
export const browserFrames = (): Frames => ({
  now: () => performance.now(),
  later: (run, afterMs) => {
    if (afterMs < 1) {
      run();
    } else {
      setTimeout(run, afterMs);
    }
  },
  beforePicture: (run) => {
    let isDone = false;
    const once = () => {
      if (!isDone) {
        isDone = true;
        run();
      }
    };
    requestAnimationFrame(once);
    setTimeout(once, 250);
  },
  afterPicture: (run) => {
    setTimeout(run, 0);
  },
});
