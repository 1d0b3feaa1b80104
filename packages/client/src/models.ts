import { UnexpectedAnswerError } from "./errors.ts";
import { askForJson, type CallOptions } from "./json-answer.ts";
import type { Settings } from "./settings.ts";

export type Model = Readonly<{ id: string; displayName: string }>;

type ModelPage = Readonly<{ models: readonly Model[]; next: string | undefined }>;

/** Every model this key may name, page by page. `timeoutMs` holds for each page. */
export const requestModels = async (settings: Settings, options: CallOptions): Promise<Model[]> => {
  const models = new Map<string, Model>();
  let after = "";
  for (;;) {
    const path = `/v1/models?limit=1000${after && `&after_id=${encodeURIComponent(after)}`}`;
    const ask = { method: "GET", path, repeatable: true } as const;
    const page = await askForJson(settings, ask, modelPageFrom, options);
    const before = models.size;
    for (const model of page.models) {
      models.set(model.id, model);
    }
    if (page.next === undefined) {
      return [...models.values()];
    }
    if (models.size === before) {
      throw new UnexpectedAnswerError("The list of models repeats itself.");
    }
    after = page.next;
  }
};

const modelPageFrom = (answer: Readonly<Record<string, unknown>>): ModelPage | undefined => {
  const { data, has_more: hasMore, last_id: lastId } = answer;
  if (!Array.isArray(data)) {
    return undefined;
  }
  return {
    models: data.flatMap(modelFrom),
    next: hasMore === true && typeof lastId === "string" ? lastId : undefined,
  };
};

const modelFrom = (entry: unknown): Model[] => {
  const { id, display_name: name } = (entry ?? {}) as { id?: unknown; display_name?: unknown };
  return typeof id === "string" ? [{ id, displayName: typeof name === "string" ? name : id }] : [];
};
