import { Refusal } from "../pipeline/refusal.ts";

/** One thing a schema found wrong (TypeBox's spelling, after JSON Schema's). */
type Fault = Readonly<{
  keyword: string;
  instancePath: string;
  params?: Readonly<Record<string, unknown>>;
  message?: string | undefined;
}>;

/** Says in words which fields are wrong and what they must be. */
export const refusalForSchema = (faults: readonly Fault[], part: string | undefined): Refusal => {
  const byField = new Map<string, Set<string>>();
  const add = (field: string, message: string): void => {
    byField.set(field, (byField.get(field) ?? new Set()).add(message));
  };
  for (const fault of faults) {
    if (!echoes.has(fault.keyword)) {
      describe(fault, part ?? "body", add);
    }
  }
  const words = [...byField]
    .slice(0, 8)
    .map(([field, says]) => `${field}: ${[...says].join(" or ")}`);
  return new Refusal("invalid_request", `${words.join("; ")}.`);
};

/** Keywords that only repeat what another fault of the same field says. */
const echoes = new Set(["anyOf", "oneOf", "boolean"]);

const describe = (
  fault: Fault,
  part: string,
  add: (field: string, message: string) => void,
): void => {
  const path = fault.instancePath.replace(/^\//, "").replaceAll("/", ".");
  const inside = (name: unknown): string => (path === "" ? String(name) : `${path}.${name}`);
  const { requiredProperties, additionalProperties } = fault.params ?? {};
  if (Array.isArray(requiredProperties)) {
    for (const name of requiredProperties) {
      add(inside(name), "field required");
    }
  } else if (Array.isArray(additionalProperties)) {
    for (const name of additionalProperties) {
      add(inside(name), "unknown field");
    }
  } else if (fault.keyword === "pattern" && /(^|\.)(device_id|id)$/.test(path)) {
    add(path, "must be 8–128 printable ASCII characters");
  } else {
    add(path === "" ? part : path, fault.message ?? "is not valid");
  }
};
