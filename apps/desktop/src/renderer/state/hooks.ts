import { createContext } from "preact";
import { useContext, useEffect, useLayoutEffect, useState } from "preact/hooks";
import type { Controller } from "./controller.ts";
import type { Store } from "./store.ts";
import type { WindowState } from "./window-state.ts";

/** The state as it is, now and whenever it changes. */
export const useWindowState = (store: Store): WindowState => {
  const [state, setState] = useState(store.get());
  useLayoutEffect(() => {
    setState(store.get());
    return store.subscribe(() => setState(store.get()));
  }, [store]);
  return state;
};

const ControllerContext = createContext<Controller | null>(null);
export const ControllerProvider = ControllerContext.Provider;

/** @throws outside of a ControllerProvider */
export const useController = (): Controller => {
  const controller = useContext(ControllerContext);
  if (controller === null) {
    throw new Error("no controller is provided");
  }
  return controller;
};

/** The time, once a second while `until` lies ahead; epoch milliseconds. */
export const useNow = (until: number | null): number => {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    setNow(Date.now());
    if (until === null || until <= Date.now()) {
      return undefined;
    }
    const timer = setInterval(() => {
      setNow(Date.now());
      if (Date.now() >= until) {
        clearInterval(timer);
      }
    }, 1000);
    return () => clearInterval(timer);
  }, [until]);
  return now;
};
