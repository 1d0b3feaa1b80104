import type { Limit, Verdict } from "../pipeline/admission.ts";
import { scopeName } from "./scope-name.ts";

export type OverLimit = Extract<Verdict, { kind: "over_limit" }>;

/** Refused for want of a place. */
export const isFull = (verdict: Verdict): verdict is OverLimit =>
  verdict.kind === "over_limit" && verdict.state.limit.kind === "concurrency";

/** The names of the places a request under these limits needs. Under another maximum they are others. */
export const placesOf = (limits: readonly Limit[]): readonly string[] =>
  limits.filter(({ kind }) => kind === "concurrency").map(placeOf);

const placeOf = ({ scope, max }: Limit): string => `${scopeName(scope)}:${max}`;

/** Limits of concurrency that have been found full. */
export class FullPlaces {
  readonly #full = new Map<string, OverLimit>();

  add(refusal: OverLimit): void {
    this.#full.set(placeOf(refusal.state.limit), refusal);
  }

  holdsAny(places: readonly string[]): boolean {
    return places.some((place) => this.#full.has(place));
  }

  /** The refusal by one of these limits; null when none of them is known to be full. */
  find(limits: readonly Limit[]): OverLimit | null {
    for (const limit of limits) {
      if (limit.kind === "concurrency") {
        const refusal = this.#full.get(placeOf(limit));
        if (refusal !== undefined) {
          return refusal;
        }
      }
    }
    return null;
  }
}
