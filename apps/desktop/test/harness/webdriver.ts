/** As much of WebDriver (https://www.w3.org/TR/webdriver2/) as the tests need. */
import type { ToWindow } from "../../src/bridge/wire.ts";
import { until } from "./poll.ts";

const elementKey = "element-6066-11e4-a52e-4f735466cecf";

/** Keys by the code points of the specification. */
export const keys = {
  tab: "\uE004",
  enter: "\uE007",
  shift: "\uE008",
  control: "\uE009",
  escape: "\uE00C",
  down: "\uE015",
} as const;

export class WebDriver {
  readonly #session: string;
  /** Below every id of the window's own. */
  #lastId = 0;

  private constructor(session: string) {
    this.#session = session;
  }

  /** Starts the program in a session of the driver at `url`. */
  static async open(url: string, program: string): Promise<WebDriver> {
    const wanted = { "webkitgtk:browserOptions": { binary: program, args: [] } };
    const capabilities = { alwaysMatch: wanted };
    const { sessionId } = await ask<{ sessionId: string }>("POST", `${url}/session`, {
      capabilities,
    });
    return new WebDriver(`${url}/session/${sessionId}`);
  }

  /** Closes the window; the app ends with it. */
  async closeWindow(): Promise<void> {
    await ask("DELETE", `${this.#session}/window`);
  }

  /** Runs the body of a function in the page; a promise is waited for. */
  async run<Result>(body: string, ...args: readonly unknown[]): Promise<Result> {
    return this.#post<Result>("execute/sync", { script: body, args });
  }

  async has(testId: string): Promise<boolean> {
    return (await this.texts(testId)).length > 0;
  }

  /** The text of every element of that name. */
  async texts(testId: string): Promise<string[]> {
    return this.run(
      "return [...document.querySelectorAll(arguments[0])].map((one) => one.textContent)",
      selector(testId),
    );
  }

  /** Waits for an element of that name with such a text; gives the text of the last one. */
  async shows(testId: string, pattern: RegExp = /(?:)/): Promise<string> {
    let texts: string[] = [];
    try {
      return await until(testId, async () => {
        texts = await this.texts(testId);
        return texts.findLast((text) => pattern.test(text));
      });
    } catch {
      const page = await this.run<string>("return document.body.innerText");
      throw new Error(
        `${testId} never showed ${pattern}: ${texts.join(" | ")}\nThe page:\n${page}`,
      );
    }
  }

  async gone(testId: string): Promise<void> {
    await until(`${testId} is gone`, async () => !(await this.has(testId)));
  }

  /** Waits until it can be used. */
  async enabled(testId: string): Promise<void> {
    await this.#act(testId, (element) => this.#demandEnabled(element));
  }

  /** Clicks as a person does: where the element is, once it can be clicked. */
  async click(testId: string): Promise<void> {
    await this.#act(testId, async (element) => {
      await this.#demandEnabled(element);
      await this.#post(`element/${element}/click`, {});
    });
  }

  /** Types into an element, after what is there. */
  async type(testId: string, text: string): Promise<void> {
    await this.#act(testId, (element) => this.#post(`element/${element}/value`, { text }));
  }

  /** Pastes a text into an element, after what is there. */
  async paste(testId: string, text: string): Promise<void> {
    await this.click(testId);
    await this.run("document.execCommand('insertText', false, arguments[0])", text);
  }

  async clear(testId: string): Promise<void> {
    await this.#act(testId, (element) => this.#post(`element/${element}/clear`, {}));
  }

  /**
   * Calls the main process as the page's own script could, and gives the line that answers. From then on the
   * window hears nothing, until the page is loaded again.
   */
  async call(method: string, params: unknown = {}): Promise<ToWindow> {
    this.#lastId += 1;
    return this.run(
      `const [id, method, params] = arguments;
       const { invoke, transformCallback } = window.__TAURI_INTERNALS__;
       return new Promise((resolve, reject) => {
         const heard = transformCallback(({ message }) => message?.id === id && resolve(message));
         invoke("relay_lines", { channel: "__CHANNEL__:" + heard })
           .then(() => invoke("relay_call", { id, method, params }))
           .catch(reject);
       })`,
      this.#lastId,
      method,
      params,
    );
  }

  /** Presses keys together, wherever the focus is. */
  async press(...chord: readonly string[]): Promise<void> {
    const down = chord.map((value) => ({ type: "keyDown", value }));
    const up = chord.toReversed().map((value) => ({ type: "keyUp", value }));
    const keyboard = { type: "key", id: "keyboard", actions: [...down, ...up] };
    await this.#post("actions", { actions: [keyboard] });
  }

  /** Types wherever the focus is. */
  async write(text: string): Promise<void> {
    const actions = [...text].flatMap((value) => [
      { type: "keyDown", value },
      { type: "keyUp", value },
    ]);
    await this.#post("actions", { actions: [{ type: "key", id: "keyboard", actions }] });
  }

  /** Makes the window so large, in pixels. */
  async resize(width: number, height: number): Promise<void> {
    await this.#post("window/rect", { width, height });
    await until("the window has its size", () =>
      this.run<boolean>(`return innerWidth <= ${width}`),
    );
  }

  /** Resolves when what the page is now has been drawn, and whatever moves into place is there. */
  async painted(): Promise<void> {
    await this.run(`
      const frame = () => new Promise(requestAnimationFrame);
      await frame();
      const moving = document.getAnimations()
        .filter((one) => Number.isFinite(one.effect?.getComputedTiming().endTime ?? Infinity));
      await Promise.allSettled(moving.map(({ finished }) => finished));
      await frame();
      await frame();
    `);
  }

  async address(): Promise<string> {
    return ask("GET", `${this.#session}/url`);
  }

  async #act(testId: string, act: (element: string) => Promise<unknown>): Promise<void> {
    let last: unknown;
    await until(`${testId} can be used`, async () => {
      try {
        const element = (await this.#all(testId)).at(-1);
        if (element === undefined) {
          return false;
        }
        await act(element);
        return true;
      } catch (error) {
        // It moved, or is gone by now.
        last = error;
        return false;
      }
    }).catch(async (error: Error) => {
      throw new Error(`${error.message} (${last ?? "it is not there"})\n${await this.#page()}`);
    });
  }

  /** For the words of a failure. */
  async #page(): Promise<string> {
    return `The page:\n${await this.run("return document.body.innerText + '\\n' + [...document.querySelectorAll('textarea')].map((one) => 'written: ' + one.value)")}`;
  }

  async #demandEnabled(element: string): Promise<void> {
    if (!(await ask<boolean>("GET", `${this.#session}/element/${element}/enabled`))) {
      throw new Error("it is disabled");
    }
  }

  async #all(testId: string): Promise<string[]> {
    const found = await this.#post<Record<string, string>[]>("elements", {
      using: "css selector",
      value: selector(testId),
    });
    return found.map((element) => element[elementKey] ?? "");
  }

  #post<Result>(path: string, body: object): Promise<Result> {
    return ask("POST", `${this.#session}/${path}`, body);
  }
}

const selector = (testId: string): string => `[data-testid="${testId}"]`;

const ask = async <Result>(method: string, url: string, body?: object): Promise<Result> => {
  const response = await fetch(url, { method, ...(body && { body: JSON.stringify(body) }) });
  const { value } = (await response.json()) as {
    value: Result & { error?: string; message?: string };
  };
  if (!response.ok) {
    throw new Error(`WebDriver: ${value?.error}: ${value?.message}`);
  }
  return value;
};
