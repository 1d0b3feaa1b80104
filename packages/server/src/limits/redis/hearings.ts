type Hearing = {
  /** How many were told; null until Redis has said. */
  told: number | null;
  readonly by: Set<string>;
  readonly over: () => void;
};

/** Who has heard, and acted upon, what was told: so that a change can wait until it counts everywhere. */
export class Hearings {
  readonly #open = new Map<number, Hearing>();
  readonly #patienceMs: number;
  #last = 0;

  /** @param patienceMs one that has not heard by then may be dead: nobody waits for it longer */
  constructor(patienceMs: number) {
    this.#patienceMs = patienceMs;
  }

  /** Gives the number of something about to be told, and what resolves when all who were told have heard. */
  open(): Readonly<{ number: number; over: Promise<void> }> {
    this.#last += 1;
    const number = this.#last;
    const { promise: over, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(() => this.close(number), this.#patienceMs);
    timer.unref();
    const end = (): void => {
      clearTimeout(timer);
      resolve();
    };
    this.#open.set(number, { told: null, by: new Set(), over: end });
    return { number, over };
  }

  /** So many were told it. */
  told(number: number, count: number): void {
    const hearing = this.#open.get(number);
    if (hearing !== undefined) {
      hearing.told = count;
      this.#look(number, hearing);
    }
  }

  /** This instance has heard it. */
  heard(number: number, instance: string): void {
    const hearing = this.#open.get(number);
    if (hearing !== undefined) {
      hearing.by.add(instance);
      this.#look(number, hearing);
    }
  }

  /** Nobody is waited for any more. */
  close(number: number): void {
    this.#open.get(number)?.over();
    this.#open.delete(number);
  }

  #look(number: number, { told, by }: Hearing): void {
    if (told !== null && by.size >= told) {
      this.close(number);
    }
  }
}
