import { createContext, useContext } from "react";
import { createStore, type StoreApi, useStore } from "zustand";
import { NOTHING_YET, type NodeState, type RunState } from "./runState";

/** Where a followed run stands, for everything that shows a part of it. */
export type RunStore = StoreApi<RunState>;

export function createRunStore(): RunStore {
  return createStore<RunState>()(() => NOTHING_YET);
}

const empty = createRunStore();
const Context = createContext<RunStore>(empty);

/** Lays a run over the canvas inside. */
export const OverlayProvider = Context.Provider;

/** Something of the run that is laid over the canvas. */
export function useOverlay<T>(select: (state: RunState) => T): T {
  return useStore(useContext(Context), select);
}

/** What a node is doing in that run; undefined without a run, and before the node has begun. */
export function useNodeState(key: string): NodeState | undefined {
  return useOverlay((state) => state.nodes.get(key));
}
