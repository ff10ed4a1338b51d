import { isObject, type Json, type JsonObject } from "./json";

/** The document format that this editor writes. */
export const FORMAT = "flowforge/v1";

/** A node as written: what is absent has the server's default. Members of later formats are kept as they are. */
export interface FlowNode {
  type: string;
  name?: string;
  config?: JsonObject;
  join?: "all" | "any";
  for_each?: ForEach;
  retry?: Retry;
  timeout?: string;
  deadline?: string;
  on_uncertain?: "park" | "retry" | "fail";
  connection?: string;
  /** It does no work: what arrives goes on through its first output. */
  disabled?: boolean;
}

/** Runs a node once per item. */
export interface ForEach {
  items: Json;
  concurrency?: number;
  on_item_error?: "fail" | "collect" | "skip";
}

/** When a failed attempt is followed by another. */
export interface Retry {
  attempts: number;
  initial?: string;
  coefficient?: number;
  cap?: string;
  jitter?: number;
  on?: string[];
}

/** `node` or `node.port` at both ends; the ports default to `out` and `in`. */
export interface FlowEdge {
  from: string;
  to: string;
}

/** What is hashed, published and run. */
export interface Definition {
  input_schema?: Json;
  nodes: Record<string, FlowNode>;
  edges: FlowEdge[];
  output?: Json;
  settings?: Settings;
}

/** What holds for whole runs. Members of later formats are kept as they are. */
export interface Settings {
  timeout?: string;
  key?: string;
  labels?: Record<string, string>;
}

/** A place on the canvas, on the grid. */
export interface Point {
  x: number;
  y: number;
}

/** A sheet of text on the canvas. */
export interface Note extends Point {
  text: string;
  width: number;
  height: number;
}

/** A result that stands for a node in tests. */
export interface Pin {
  output: Json;
  /** The port that it leaves by; `out` when absent. */
  port?: string;
}

/** What belongs to the drawing and not to the workflow: never hashed. */
export interface Sidecar {
  layout: Record<string, Point>;
  notes: Record<string, Note>;
  /** By node key; absent when nothing is pinned. */
  pins?: Record<string, Pin>;
}

/**
 * The canvas document: exactly what the server stores, so that a patch, a problem's JSON pointer and the view all speak
 * of the same places.
 */
export interface FlowDocument {
  definition: Definition;
  sidecar: Sidecar;
}

/** Places are multiples of this many pixels. */
export const GRID = 8;
/** The size of every card: computed, not measured, so that cards off screen need not be mounted. */
export const CARD = { width: 224, height: 64 } as const;

/** The nearest place on the grid. */
export function snap({ x, y }: Point): Point {
  // `+ 0` turns a negative zero into zero: the two differ in `Object.is`, and not in JSON.
  return { x: Math.round(x / GRID) * GRID + 0, y: Math.round(y / GRID) * GRID + 0 };
}

/** A document with nothing in it. */
export function emptyDocument(): FlowDocument {
  return { definition: { nodes: {}, edges: [] }, sidecar: { layout: {}, notes: {} } };
}

/**
 * Opens a definition and what belongs to its drawing. A broken draft opens too: what has the wrong form is left out of
 * the drawing but never guessed at.
 */
export function openDocument(definition: unknown, sidecar?: unknown): FlowDocument {
  const opened = emptyDocument();
  if (isObject(definition)) {
    const { nodes, edges, ...rest } = definition;
    Object.assign(opened.definition, structuredClone(rest));
    if (isObject(nodes)) {
      for (const [key, node] of Object.entries(nodes)) {
        if (isObject(node)) opened.definition.nodes[key] = openNode(node);
      }
    }
    if (Array.isArray(edges)) {
      for (const edge of edges) {
        if (isObject(edge) && typeof edge.from === "string" && typeof edge.to === "string") {
          opened.definition.edges.push(structuredClone(edge) as unknown as FlowEdge);
        }
      }
    }
  }
  if (isObject(sidecar)) {
    const { layout, notes, pins, ...rest } = sidecar;
    Object.assign(opened.sidecar, structuredClone(rest));
    const kept = Object.entries(isObject(pins) ? pins : {}).flatMap(([key, pin]) => {
      const opening = openPin(pin);
      return opening ? [[key, opening] as const] : [];
    });
    if (kept.length > 0) opened.sidecar.pins = Object.fromEntries(kept);
    for (const [key, place] of Object.entries(isObject(layout) ? layout : {})) {
      if (isPoint(place)) opened.sidecar.layout[key] = snap(place);
    }
    for (const [id, note] of Object.entries(isObject(notes) ? notes : {})) {
      if (isPoint(note)) opened.sidecar.notes[id] = openNote(note);
    }
  }
  return opened;
}

function openNode(node: JsonObject): FlowNode {
  const opened = structuredClone(node) as unknown as FlowNode;
  if (typeof opened.type !== "string") opened.type = "";
  // The server writes an empty config as absent; both mean the same.
  if (opened.config !== undefined && !isObject(opened.config)) delete opened.config;
  return opened;
}

function openNote(note: JsonObject & Point): Note {
  const number = (value: Json | undefined, otherwise: number) => (typeof value === "number" ? value : otherwise);
  const text = typeof note.text === "string" ? note.text : "";
  return { ...snap(note), text, width: number(note.width, 240), height: number(note.height, 120) };
}

function openPin(pin: Json): Pin | undefined {
  if (!isObject(pin) || pin.output === undefined) return undefined;
  return { output: structuredClone(pin.output), ...(typeof pin.port === "string" ? { port: pin.port } : {}) };
}

function isPoint(value: unknown): value is JsonObject & Point {
  return isObject(value) && Number.isFinite(value.x) && Number.isFinite(value.y);
}

/** An end of an edge: a node's key and a port. */
export interface End {
  node: string;
  port: string;
}

/** Where an edge leaves. */
export function source(edge: FlowEdge): End {
  return end(edge.from, "out");
}

/** Where an edge arrives. */
export function target(edge: FlowEdge): End {
  return end(edge.to, "in");
}

function end(text: string, otherwise: string): End {
  const dot = text.indexOf(".");
  return dot < 0 ? { node: text, port: otherwise } : { node: text.slice(0, dot), port: text.slice(dot + 1) };
}

/** The edge between two ends, in its shortest form. */
export function edgeBetween(from: End, to: End): FlowEdge {
  return {
    from: from.port === "out" ? from.node : `${from.node}.${from.port}`,
    to: to.port === "in" ? to.node : `${to.node}.${to.port}`,
  };
}

/** What makes an edge itself: its ends. Two edges of the same ends are one. */
export function edgeId(edge: FlowEdge): string {
  const [from, to] = [source(edge), target(edge)];
  return `${from.node}.${from.port}>${to.node}.${to.port}`;
}

/** What people call a node. */
export function titleOf(key: string, node: FlowNode | undefined): string {
  return node?.name?.trim() || key;
}
