/** The worker thread's entry: messages in, messages out; engine.ts does the work. */
import { parentPort, workerData } from "node:worker_threads";
import { Refusal } from "../pipeline/refusal.ts";
import { Engine } from "./engine.ts";
import { reason } from "./faults.ts";
import type { FromWorker, ToWorker, WorkerStart } from "./worker-messages.ts";

const port = parentPort;
if (port === null) {
  throw new Error("store-worker.ts runs as a worker thread only");
}

const tell = (message: FromWorker): void => port.postMessage(message);

const serve = (engine: Engine, message: ToWorker): void => {
  switch (message.kind) {
    case "fold":
      engine.foldTo(message.target);
      return;
    case "call":
      engine.call(message.port, message.method, message.args, message.target).then(
        (value) => tell({ kind: "result", id: message.id, value }),
        (error: unknown) => tell({ kind: "failure", id: message.id, ...describe(error) }),
      );
      return;
    case "stop":
      void engine.stop(message.target).finally(() => port.close());
      return;
    default:
      message satisfies never;
  }
};

const describe = (error: unknown): { code: Refusal["code"]; message: string } =>
  error instanceof Refusal
    ? { code: error.code, message: error.message }
    : { code: "internal", message: reason(error) };

try {
  const engine = await Engine.start(workerData as WorkerStart, {
    onFault: (fault) => tell({ kind: "fault", fault }),
    onFolded: (position) => tell({ kind: "folded", position }),
  });
  port.on("message", (message: ToWorker) => serve(engine, message));
  tell({ kind: "ready", nextSegment: engine.nextSegment, recovered: engine.recovered });
} catch (error) {
  tell({ kind: "refused_start", message: reason(error) });
}
