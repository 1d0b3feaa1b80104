import type { SessionClock } from "@claude-relay/client/device";
import type { Static } from "typebox";
import { CallError } from "../../bridge/call-error.ts";
import type { AppEvent, ModelChoice } from "../../bridge/protocol.ts";
import { printable } from "../printable.ts";
import type { CurrentRelay } from "../relay/relay-access.ts";
import { ModelsPage } from "./relay-answers.ts";
import type { ReadRelay } from "./relay-reader.ts";

type Model = Static<typeof ModelsPage>["data"][number];
type Known = Readonly<{ relayUrl: string; models: readonly Model[]; at: number }>;

type Options = Readonly<{
  relay: CurrentRelay;
  read: ReadRelay;
  emit: (event: AppEvent) => void;
  clock: Pick<SessionClock, "monotonicMs">;
}>;

const freshMs = 5 * 60_000;
const pageSize = 100;
/** More models there are not: a relay that lists on and on is not believed. */
const mostPages = 20;
const mostModels = pageSize * mostPages;

/** Enough for a long answer; a relay holds the price of so much, so it is no larger. */
const usualMaxTokens = 8192;

/** The models this device may use. What is known is given at once; old knowledge is looked after meanwhile. */
export class Models {
  readonly #options: Options;
  #known: Known | undefined;
  #asking: Promise<Known> | undefined;

  constructor(options: Options) {
    this.#options = options;
  }

  /** @throws CallError, also when there is no model at all */
  async list(): Promise<readonly ModelChoice[]> {
    const known = this.#knownHere();
    if (known !== undefined && this.#options.clock.monotonicMs() - known.at >= freshMs) {
      this.refresh();
    }
    const { models } = known ?? (await (this.#asking ?? this.#ask()));
    if (models.length === 0) {
      const message = "This relay allows this device no model. Ask its operator for one.";
      throw new CallError({ code: "failed", message });
    }
    return models.map(({ id, display_name: name = "" }) => ({
      id,
      displayName: printable(name) || id,
    }));
  }

  /** Asks again in the background, and tells the window when the answer is another than before. */
  refresh(): void {
    const before = this.#knownHere();
    void this.#ask().then(
      (after) => {
        if (before !== undefined && !areEqual(before.models, after.models)) {
          this.#options.emit({ type: "models_changed" });
        }
      },
      () => undefined,
    );
  }

  forget(): void {
    this.#known = undefined;
    this.#asking = undefined;
  }

  /** The longest answer to ask a model for, in tokens. */
  maxTokensOf(model: string): number {
    const listed = this.#knownHere()?.models.find(({ id }) => id === model)?.max_tokens ?? null;
    return listed === null || listed < 1 ? usualMaxTokens : Math.min(usualMaxTokens, listed);
  }

  #knownHere(): Known | undefined {
    const here = this.#options.relay()?.relayUrl;
    return this.#known?.relayUrl === here ? this.#known : undefined;
  }

  #ask(): Promise<Known> {
    const relayUrl = this.#options.relay()?.relayUrl ?? "";
    const asking = this.#readAll().then((models): Known => {
      const known = { relayUrl, models, at: this.#options.clock.monotonicMs() };
      if (this.#asking === asking) {
        this.#known = known;
      }
      return known;
    });
    this.#asking = asking;
    const forget = (): void => {
      if (this.#asking === asking) {
        this.#asking = undefined;
      }
    };
    asking.then(forget, forget);
    return asking;
  }

  async #readAll(): Promise<readonly Model[]> {
    const all = new Map<string, Model>();
    let after = "";
    for (let page = 0; page < mostPages; page += 1) {
      const query = `?limit=${pageSize}${after && `&after_id=${encodeURIComponent(after)}`}`;
      const { data, has_more, last_id } = await this.#options.read(
        `/v1/models${query}`,
        ModelsPage,
      );
      // A name that cannot be shown is no model's.
      for (const model of data.filter(({ id }) => printable(id) === id)) {
        all.set(model.id, model);
      }
      if (!has_more || last_id === null || last_id === after || all.size >= mostModels) {
        break;
      }
      after = last_id;
    }
    return [...all.values()].slice(0, mostModels);
  }
}

const areEqual = (one: readonly Model[], other: readonly Model[]): boolean =>
  JSON.stringify(one.map(shownOf)) === JSON.stringify(other.map(shownOf));

const shownOf = ({ id, display_name }: Model) => [id, display_name];
