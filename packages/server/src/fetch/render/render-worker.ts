/** The worker thread's entry: one page in, one text out. A page it cannot take is answered, not thrown. */
import { parentPort } from "node:worker_threads";
import { type Rendered, type RenderJob, renderPage } from "./render-page.ts";

/** `null`: the page was too much (the stack, a string's or an array's length). */
export type RenderReply = Rendered | null;

const port = parentPort;
if (port === null) {
  throw new Error("render-worker.ts runs as a worker thread only");
}

const render = (job: RenderJob): RenderReply => {
  try {
    return renderPage(job);
  } catch (error) {
    if (error instanceof RangeError) {
      return null;
    }
    throw error;
  }
};

port.on("message", (job: RenderJob) => port.postMessage(render(job)));
