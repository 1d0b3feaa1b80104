/** The variables a script declared itself. One it did not declare may be a global of the router's, with a secret in it. */
export class Scope {
  readonly #sizes = new Map<string, number>();
  readonly #outer: Scope | null;

  constructor(outer: Scope | null = null) {
    this.#outer = outer;
  }

  /** @param size about how many characters it can hold */
  declare(name: string, size: number): void {
    this.#sizes.set(name, size);
  }

  knows(name: string): boolean {
    return this.sizeOf(name) !== undefined;
  }

  /** Undefined when this script did not declare it. */
  sizeOf(name: string): number | undefined {
    for (let scope: Scope | null = this; scope !== null; scope = scope.#outer) {
      const size = scope.#sizes.get(name);
      if (size !== undefined) {
        return size;
      }
    }
    return undefined;
  }
}

/** This relay keeps its secret in globals of these names. */
export const isOurs = (name: string): boolean => name.toLowerCase().startsWith("clauderelay");
