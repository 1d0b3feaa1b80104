/** Places for fetches at once. One caller has at most half of them, so that its slow pages leave room for others. */
export class FetchPlaces {
  readonly #all: number;
  readonly #ofOne: number;
  readonly #taken = new Map<string, number>();
  #running = 0;

  constructor(all: number) {
    this.#all = all;
    this.#ofOne = Math.max(1, Math.floor(all / 2));
  }

  /** False when there is none for this caller now; otherwise `giveBack` must follow. */
  take(callerKey: string): boolean {
    const taken = this.#taken.get(callerKey) ?? 0;
    if (this.#running >= this.#all || taken >= this.#ofOne) {
      return false;
    }
    this.#running += 1;
    this.#taken.set(callerKey, taken + 1);
    return true;
  }

  giveBack(callerKey: string): void {
    const left = (this.#taken.get(callerKey) ?? 1) - 1;
    this.#running -= 1;
    if (left === 0) {
      this.#taken.delete(callerKey);
    } else {
      this.#taken.set(callerKey, left);
    }
  }
}
