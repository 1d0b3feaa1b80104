/** The variables a script declared itself. One it did not declare may be a global of the router's, with a secret in it. */
export class Scope {
  readonly #names = new Set<string>();
  readonly #outer: Scope | null;

  constructor(outer: Scope | null = null) {
    this.#outer = outer;
  }

  declare(name: string): void {
    this.#names.add(name);
  }

  knows(name: string): boolean {
    for (let scope: Scope | null = this; scope !== null; scope = scope.#outer) {
      if (scope.#names.has(name)) {
        return true;
      }
    }
    return false;
  }
}

/** This relay keeps its secret in globals of these names. */
export const isOurs = (name: string): boolean => name.toLowerCase().startsWith("clauderelay");
