// Portkey listens on every interface and has no setting for it; a benchmark is for this machine only.
import { Server } from "node:net";

const listen = Server.prototype.listen;
Server.prototype.listen = function listenOnLoopback(first, ...rest) {
  const isPort = typeof first === "number";
  return isPort
    ? listen.call(this, first, "127.0.0.1", ...rest.filter((value) => typeof value === "function"))
    : listen.call(this, { ...first, host: "127.0.0.1" }, ...rest);
};
