/** Calls from the window: nothing in them is believed before it is checked. */
import { RelayError } from "@claude-relay/client/device";
import { Compile, type Validator } from "typebox/compile";
import { CallError } from "../bridge/call-error.ts";
import {
  type CallFault,
  type Method,
  methodParams,
  type Params,
  type Results,
} from "../bridge/protocol.ts";
import type { FromMain, FromShell } from "../bridge/wire.ts";
import type { Methods } from "./chat-port.ts";
import { errorLine } from "./error-line.ts";

type Call = Extract<FromShell, { type: "call" }>;
type Answer = Extract<FromMain, { type: "reply" | "fault" }>;

/** Answers one call; never rejects. */
export type AnswerCall = (call: Call) => Promise<Answer>;

export const createCalls = (methods: Methods<Method>, log: (line: string) => void): AnswerCall => {
  const invoke = async <M extends Method>(name: M, params: unknown): Promise<Results[M]> => {
    if (!fits(name, params)) {
      throw new CallError({
        code: "invalid_params",
        message: `${name}: ${problemOf(name, params)}`,
      });
    }
    return methods[name](params);
  };
  return async ({ id, method, params }) => {
    try {
      if (!isMethod(method)) {
        throw new CallError({ code: "unknown_method", message: "The app has no such method." });
      }
      return { type: "reply", id, result: (await invoke(method, params)) ?? null };
    } catch (error) {
      return { type: "fault", id, fault: faultOf(error, method, log) };
    }
  };
};

/** What the window is told of an error: what is not meant for people's eyes is in the log instead. */
export const faultOf = (error: unknown, method: string, log: (line: string) => void): CallFault => {
  if (error instanceof CallError) {
    return { code: error.code, message: error.message };
  }
  if (error instanceof RelayError) {
    return { code: "failed", message: error.message };
  }
  log(`${isMethod(method) ? method : "A call"} failed: ${errorLine(error)}`);
  return {
    code: "failed",
    message:
      "Something went wrong in the app itself. Try again; start it anew if that does not help.",
  };
};

const isMethod = (name: string): name is Method => Object.hasOwn(methodParams, name);

const validators = new Map<Method, Validator>(
  Object.entries(methodParams).map(([name, schema]) => [name as Method, Compile(schema)]),
);

const fits = <M extends Method>(name: M, params: unknown): params is Params<M> =>
  validators.get(name)?.Check(params) === true;

/** Where it does not fit, and never what was sent. */
const problemOf = (name: Method, params: unknown): string => {
  const [first] = validators.get(name)?.Errors(params) ?? [];
  const where = first?.instancePath.replace(/^\//, "") || "the parameters";
  return `${where} ${first?.message ?? "cannot be read"}`;
};
