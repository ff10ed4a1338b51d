import { createContext, useContext } from "react";
import type { NodeDifference } from "../model/difference";

/** What happened to nodes and edges, for a drawing of two versions. */
export interface Changes {
  nodes: ReadonlyMap<string, NodeDifference["change"]>;
  edges: ReadonlyMap<string, "ADDED" | "REMOVED">;
}

const NONE: Changes = { nodes: new Map(), edges: new Map() };
const Context = createContext(NONE);

/** Lays the difference of two versions over the canvas inside. */
export const ChangesProvider = Context.Provider;

/** What happened to a node; undefined when nothing did. */
export function useNodeChange(key: string): NodeDifference["change"] | undefined {
  return useContext(Context).nodes.get(key);
}

/** What happened to an edge; undefined when nothing did. */
export function useEdgeChange(id: string): "ADDED" | "REMOVED" | undefined {
  return useContext(Context).edges.get(id);
}
