import type { SessionClock, SessionRandom, SessionTimers } from "@claude-relay/client/device";
import { CallError } from "../../bridge/call-error.ts";
import type { ConversationSummary } from "../../bridge/conversation.ts";
import { type KeptConversation, summaryOf } from "./kept-conversation.ts";
import { Saver } from "./saver.ts";
import type { Shelf } from "./shelf.ts";
import { untitled } from "./title.ts";

type Options = Readonly<{
  shelf: Shelf;
  clock: Pick<SessionClock, "now">;
  timers: SessionTimers;
  random: SessionRandom;
  /** Told after changes that a list of conversations shows, in a turn of its own. */
  onListed: (conversations: readonly ConversationSummary[]) => void;
  /** Told when conversations cannot be written, once until they can again. */
  onFault: (error: unknown) => void;
}>;

type Change = (conversation: KeptConversation) => KeptConversation;

/**
 * All conversations: their summaries, and whole the ones that were looked at, as they are now. Changes are
 * made here at once and written behind; while a disk takes nothing they live on here.
 */
export class Conversations {
  readonly #options: Options;
  readonly #summaries = new Map<string, ConversationSummary>();
  readonly #loaded = new Map<string, KeptConversation>();
  readonly #saver: Saver;
  #isFaulty = false;
  #isToBeListed = false;

  private constructor(options: Options) {
    this.#options = options;
    this.#saver = new Saver(
      (id) => this.#write(id),
      (error) => this.#failed(error),
      options.timers,
    );
  }

  /** Reads what the shelf has. @throws when it cannot be read */
  static async open(options: Options): Promise<Conversations> {
    const conversations = new Conversations(options);
    await options.shelf.readAll((one) => conversations.#summaries.set(one.id, summaryOf(one)));
    return conversations;
  }

  /** Newest first. */
  list(): readonly ConversationSummary[] {
    return [...this.#summaries.values()].sort(
      (one, other) => other.updatedAt - one.updatedAt || (one.id < other.id ? -1 : 1),
    );
  }

  /** @throws CallError `not_found` */
  async get(id: string): Promise<KeptConversation> {
    const there = this.#loaded.get(id);
    if (there !== undefined) {
      return there;
    }
    const read = this.#summaries.has(id) ? await this.#read(id) : null;
    const meanwhile = this.#loaded.get(id);
    if (meanwhile !== undefined) {
      return meanwhile;
    }
    if (read === null || !this.#summaries.has(id)) {
      if (this.#summaries.has(id)) {
        this.#forget(id);
        this.#listed();
      }
      throw new CallError({ code: "not_found", message: "This conversation is not there." });
    }
    this.#loaded.set(id, read);
    return read;
  }

  /** As it is in this moment; undefined when `get` has not given it, or it was deleted since. */
  now(id: string): KeptConversation | undefined {
    return this.#loaded.get(id);
  }

  create(model: string): KeptConversation {
    const { clock, random } = this.#options;
    const id = Buffer.from(random.bytes(16)).toString("hex");
    const updatedAt = clock.now();
    const made = { id, title: untitled, isNamed: false, model, updatedAt, messages: [] };
    this.#loaded.set(id, made);
    this.#summaries.set(id, summaryOf(made));
    void this.#saver.save(id);
    this.#listed();
    return made;
  }

  /**
   * Changes a conversation that `get` gave before, and writes it: `now`, or within a second, for what changes
   * all the time. Nothing happens when it was deleted since.
   */
  change(id: string, change: Change, when: "now" | "soon" = "now"): void {
    const before = this.#loaded.get(id);
    if (before === undefined) {
      return;
    }
    const after = change(before);
    this.#loaded.set(id, after);
    if (when === "soon") {
      this.#saver.saveSoon(id);
      return;
    }
    this.#summaries.set(id, summaryOf(after));
    void this.#saver.save(id);
    this.#listed();
  }

  /** Resolves when the last change is on disk, or could not be put there. */
  async saved(id: string): Promise<void> {
    await this.#saver.save(id);
  }

  /** @throws CallError `not_found`, or `failed` when the file cannot be removed */
  async remove(id: string): Promise<void> {
    if (!this.#summaries.has(id)) {
      throw new CallError({ code: "not_found", message: "This conversation is not there." });
    }
    const kept = this.#loaded.get(id);
    const summary = this.#summaries.get(id);
    this.#forget(id);
    await this.#saver.settle(id);
    try {
      await this.#options.shelf.remove(id);
    } catch (error) {
      if (kept !== undefined) {
        this.#loaded.set(id, kept);
      }
      if (summary !== undefined) {
        this.#summaries.set(id, summary);
      }
      throw new CallError({
        code: "failed",
        message: `The conversation could not be deleted (${reasonOf(error)}).`,
      });
    } finally {
      this.#listed();
    }
  }

  /** Waits until all that can be written is. */
  async flush(): Promise<void> {
    await this.#saver.flush();
  }

  async #read(id: string): Promise<KeptConversation | null> {
    try {
      return await this.#options.shelf.read(id);
    } catch (error) {
      throw new CallError({
        code: "failed",
        message: `The conversation could not be read (${reasonOf(error)}).`,
      });
    }
  }

  async #write(id: string): Promise<void> {
    const conversation = this.#loaded.get(id);
    if (conversation !== undefined) {
      await this.#options.shelf.write(conversation);
      this.#isFaulty = false;
    }
  }

  #failed(error: unknown): void {
    if (!this.#isFaulty) {
      this.#isFaulty = true;
      this.#options.onFault(error);
    }
  }

  #forget(id: string): void {
    this.#loaded.delete(id);
    this.#summaries.delete(id);
  }

  /** A thousand changes at once are one list. */
  #listed(): void {
    if (!this.#isToBeListed) {
      this.#isToBeListed = true;
      this.#options.timers.after(0, () => {
        this.#isToBeListed = false;
        this.#options.onListed(this.list());
      });
    }
  }
}

/** The system's word for what went wrong: `ENOSPC`, … */
export const reasonOf = (error: unknown): string =>
  error instanceof Error && "code" in error ? String(error.code) : "unknown";
