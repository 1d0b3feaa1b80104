import type { Scope } from "../pipeline/admission.ts";

/** A caller's scopes are the same objects until something is changed. */
const names = new WeakMap<Scope, string>();

/** One name for one scope, e.g. `user:ada`. */
export const scopeName = (scope: Scope): string => {
  let name = names.get(scope);
  if (name === undefined) {
    name = `${scope.kind}:${scope.id}`;
    names.set(scope, name);
  }
  return name;
};
