import { chmod, lstat, mkdir, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { SessionClock, SessionRandom } from "@claude-relay/client/device";
import { syncFolder, writeAtomically } from "./atomic-file.ts";
import { type KeptConversation, parse, serialize } from "./kept-conversation.ts";
import { type ConversationKey, nonceBytes, open, seal } from "./sealed-conversation.ts";
import type { Shelf } from "./shelf.ts";

/** Why a file was put aside. */
type Aside = "damaged" | "other_key";

/** What keeps a conversation from being shown; one that is `unreadable` stays where it is. */
export type Trouble = Aside | "unreadable";

type Options = Readonly<{
  folder: string;
  key: ConversationKey;
  clock: Pick<SessionClock, "now">;
  random: SessionRandom;
  /** Told of files that could not be read, or were renamed so that they are not taken for conversations again. */
  onTrouble: (why: Trouble, count: number) => void;
}>;

type Read =
  | { readonly kind: "read"; readonly conversation: KeptConversation }
  | { readonly kind: Aside | "gone" };

const unreadable = { kind: "unreadable" } as const;

const ending = ".conversation";
const asideEndings = { damaged: ".damaged", other_key: ".other-key" } as const;
const fileName = /^([a-z0-9-]{8,64})\.conversation(\.other-key)?$/;
const temporaryName = /^\..*\.tmp$/;
const hourMs = 3_600_000;

/**
 * Keeps each conversation sealed in a file of its own, in a folder that is its user's alone.
 * @throws the system's error when the folder cannot be made
 */
export const openFileShelf = async (options: Options): Promise<Shelf> => {
  const { folder, key, random, onTrouble } = options;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await chmod(folder, 0o700);
  const pathOf = (id: string): string => join(folder, `${id}${ending}`);

  const readFrom = async (path: string, id: string): Promise<Read> => {
    const bytes = await bytesOf(path);
    if (bytes === "gone" || bytes === "damaged") {
      return { kind: bytes };
    }
    const opened = open(bytes, id, key);
    if (opened.kind !== "open") {
      return opened;
    }
    const conversation = parse(id, opened.plain);
    return conversation === null ? { kind: "damaged" } : { kind: "read", conversation };
  };

  const putAside = async (id: string, why: Aside): Promise<void> => {
    await rename(pathOf(id), await freeName(`${pathOf(id)}${asideEndings[why]}`));
    await syncFolder(folder);
  };

  /** A file that was put aside for its key, once that key is back. */
  const bringBack = async (id: string): Promise<Read> => {
    const aside = `${pathOf(id)}${asideEndings.other_key}`;
    const read = await readFrom(aside, id);
    if (read.kind === "read" && !(await exists(pathOf(id)))) {
      await rename(aside, pathOf(id));
      return read;
    }
    return { kind: "gone" };
  };

  const readOrPutAside = async (id: string, isAside: boolean): Promise<Read> => {
    const read = isAside ? await bringBack(id) : await readFrom(pathOf(id), id);
    if (read.kind === "damaged" || read.kind === "other_key") {
      await putAside(id, read.kind);
    }
    return read;
  };

  return {
    readAll: async (visit) => {
      const troubles = { damaged: 0, other_key: 0, unreadable: 0 };
      const names = await readdir(folder);
      await removeLeftovers(folder, names, options.clock.now());
      for (const name of names) {
        const [, id, isAside] = fileName.exec(name) ?? [];
        if (id === undefined) {
          continue;
        }
        // One file that the system does not give must not hide all the others.
        const read = await readOrPutAside(id, isAside !== undefined).catch(() => unreadable);
        if (read.kind === "read") {
          visit(read.conversation);
        } else if (read.kind !== "gone") {
          troubles[read.kind] += 1;
        }
      }
      for (const why of ["damaged", "other_key", "unreadable"] as const) {
        if (troubles[why] > 0) {
          onTrouble(why, troubles[why]);
        }
      }
    },
    read: async (id) => {
      const read = await readFrom(pathOf(id), id);
      if (read.kind === "read") {
        return read.conversation;
      }
      if (read.kind !== "gone") {
        await putAside(id, read.kind);
        onTrouble(read.kind, 1);
      }
      return null;
    },
    write: async (conversation) => {
      const { id } = conversation;
      const sealed = seal(serialize(conversation), id, key, random.bytes(nonceBytes));
      const mark = Buffer.from(random.bytes(8)).toString("hex");
      await writeAtomically(pathOf(id), join(folder, `.${id}.${mark}.tmp`), sealed);
    },
    remove: async (id) => {
      await rm(pathOf(id), { force: true });
      await syncFolder(folder);
    },
  };
};

const bytesOf = async (path: string): Promise<Buffer | "gone" | "damaged"> => {
  try {
    // A pipe would never end, a link may lead anywhere: only a file can be ours.
    return (await lstat(path)).isFile() ? await readFile(path) : "damaged";
  } catch (error) {
    if (isMissing(error)) {
      return "gone";
    }
    throw error;
  }
};

const exists = async (path: string): Promise<boolean> => {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (isMissing(error)) {
      return false;
    }
    throw error;
  }
};

/** `wanted`, or `wanted.2`, … */
const freeName = async (wanted: string): Promise<string> => {
  for (let count = 1; ; count += 1) {
    const name = count === 1 ? wanted : `${wanted}.${count}`;
    if (!(await exists(name))) {
      return name;
    }
  }
};

/** What a killed process had begun to write; a young one may be another process's, at work now. */
const removeLeftovers = async (
  folder: string,
  names: readonly string[],
  now: number,
): Promise<void> => {
  for (const name of names.filter((one) => temporaryName.test(one))) {
    const path = join(folder, name);
    const { mtimeMs } = await lstat(path).catch(() => ({ mtimeMs: now }));
    if (now - mtimeMs > hourMs) {
      // One that cannot be removed, as a folder of that name, is in nobody's way.
      await rm(path, { force: true }).catch(() => undefined);
    }
  }
};

const isMissing = (error: unknown): boolean =>
  error instanceof Error && "code" in error && error.code === "ENOENT";
