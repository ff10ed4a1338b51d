import "@xyflow/react/dist/base.css";
import "./canvas.css";
import {
  applyNodeChanges,
  Background,
  BackgroundVariant,
  type Connection,
  ConnectionMode,
  Controls,
  type EdgeChange,
  MiniMap,
  type NodeChange,
  type OnConnectEnd,
  ReactFlow,
  SelectionMode,
  useReactFlow,
  useStore,
} from "@xyflow/react";
import { type MouseEvent, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useT } from "@/i18n";
import { connectRefusal, move } from "../model/commands";
import { CARD, type End, GRID, type Point, titleOf } from "../model/document";
import { useCanvas, useCanvasStore } from "../store";
import { type CanvasNode, edgesFor, nodesFor } from "./elements";
import { FlowLine, type LineEdge } from "./FlowLine";
import { NodeCard } from "./NodeCard";
import { NoteCard } from "./NoteCard";
import { opening } from "./opening";

const nodeTypes = { card: NodeCard, note: NoteCard };
const edgeTypes = { line: FlowLine };
/** Smaller graphs are mounted whole, which is best for finding text and for screen readers. */
const CULL_FROM = 150;
const FAR = 0.35;

// What the library is given stays the same object while nothing changes: each change wakes everything that listens.
const SNAP: [number, number] = [GRID, GRID];
const MANY = ["Meta", "Control"];
const FIT = { padding: 0.1, maxZoom: 1 };
/** Fewer nodes are seen without a map. */
const MAP_FROM = 8;
const MAP = { width: 160, height: 104, marginBottom: 22 };

function endsOf(connection: Connection | LineEdge): [End, End] {
  return [
    { node: connection.source, port: connection.sourceHandle ?? "out" },
    { node: connection.target, port: connection.targetHandle ?? "in" },
  ];
}

interface Props {
  onConnect?: (from: End, to: End) => void;
  /** An edge was drawn from an output into empty space. */
  onDropped?: (from: End, place: Point) => void;
  onInsert?: (edge: string) => void;
  /** Somebody asked what can be done, with nodes or with the drawing. */
  onMenu?: (place: Point, about: "nodes" | "canvas") => void;
  /** What is to be in sight first; the beginning of the workflow when nothing is named. */
  first?: ReadonlySet<string>;
}

/** The drawing. It reads the document, and hands every wish for a change to whoever uses it. */
export function Canvas({ onConnect, onDropped, onInsert, onMenu, first }: Props) {
  const store = useCanvasStore();
  const t = useT();
  const document = useCanvas((state) => state.document);
  const catalog = useCanvas((state) => state.catalog);
  const selection = useCanvas((state) => state.selection);
  const readOnly = useCanvas((state) => state.readOnly);
  const inspected = useCanvas((state) => state.inspected);
  const { screenToFlowPosition, flowToScreenPosition, setCenter, getZoom, setViewport } = useReactFlow();
  const stage = useRef<HTMLDivElement>(null);
  const far = useStore((state) => state.nodes.length > CULL_FROM && state.transform[2] < FAR);
  const [nodes, setNodes] = useState<CanvasNode[]>([]);
  const dragged = useRef(false);

  useEffect(() => {
    const describe = (key: string, node: Parameters<typeof titleOf>[1]) =>
      t(node?.disabled ? "canvas.disabledLabel" : "canvas.nodeLabel", {
        title: titleOf(key, node),
        type: catalog.get(node?.type ?? "")?.title ?? node?.type ?? "",
      });
    setNodes((before) => nodesFor(document, catalog, before, describe));
  }, [document, catalog, t]);

  useEffect(() => {
    setNodes((before) => {
      if (before.every((node) => Boolean(node.selected) === selection.has(node.id))) return before;
      return before.map((node) =>
        Boolean(node.selected) === selection.has(node.id) ? node : { ...node, selected: selection.has(node.id) },
      );
    });
  }, [selection]);

  // Once, when there is something to show: all of it if that can be read, else where it begins.
  const sized = useStore((state) => state.width > 0 && state.height > 0);
  const shown = useRef(false);
  useEffect(() => {
    const box = stage.current?.getBoundingClientRect();
    if (shown.current || !sized || !box || catalog.size === 0) return;
    shown.current = true;
    const view = opening(store.getState().document.sidecar.layout, first, box);
    if (view) void setViewport(view);
  }, [sized, catalog, store, first, setViewport]);

  // What is being looked at must not lie behind the panel that shows it, however wide that is made.
  const width = useStore((state) => state.width);
  useEffect(() => {
    if (inspected === null || width === 0) return;
    const frame = requestAnimationFrame(() => {
      const box = stage.current?.getBoundingClientRect();
      const place = store.getState().document.sidecar.layout[inspected];
      if (!box || !place) return;
      const [from, to] = [place, { x: place.x + CARD.width, y: place.y + CARD.height }].map(flowToScreenPosition);
      const inside = from && to && from.x >= box.left && to.x <= box.right && from.y >= box.top && to.y <= box.bottom;
      if (!inside) setCenter(place.x + CARD.width / 2, place.y + CARD.height / 2, { zoom: getZoom() });
    });
    return () => cancelAnimationFrame(frame);
  }, [inspected, width, store, flowToScreenPosition, setCenter, getZoom]);

  const edges = useMemo(
    () =>
      edgesFor(document, selection, readOnly ? undefined : onInsert, (from, to) => t("canvas.edgeLabel", { from, to })),
    [document, selection, readOnly, onInsert, t],
  );

  const onNodesChange = useCallback(
    (changes: NodeChange<CanvasNode>[]) => {
      // Removing is a command of the editor; the library only moves and selects.
      const wanted = changes.filter(({ type }) => type === "position" || type === "select" || type === "dimensions");
      setNodes((before) => applyNodeChanges(wanted, before));
      const selects = wanted.filter((change) => change.type === "select");
      if (selects.length > 0) {
        const next = new Set(store.getState().selection);
        for (const { id, selected } of selects) selected ? next.add(id) : next.delete(id);
        store.getState().select(next);
      }
    },
    [store],
  );

  const dropNodes = useCallback(
    (_: unknown, __: CanvasNode, moved: CanvasNode[]) => {
      if (!dragged.current) return;
      dragged.current = false;
      const places = Object.fromEntries(moved.map(({ id, position }) => [id, position]));
      store.getState().apply(t("did.move"), (before) => move(before, places));
    },
    [store, t],
  );

  const startDrag = useCallback(() => {
    dragged.current = true;
  }, []);

  const dropSelection = useCallback(
    (event: unknown, moved: CanvasNode[]) => {
      if (moved[0]) dropNodes(event, moved[0], moved);
    },
    [dropNodes],
  );

  const onEdgesChange = useCallback(
    (changes: EdgeChange<LineEdge>[]) => {
      const next = new Set(store.getState().selection);
      for (const change of changes) {
        if (change.type === "select") change.selected ? next.add(change.id) : next.delete(change.id);
      }
      store.getState().select(next);
    },
    [store],
  );

  const onNodeClick = useCallback(
    (event: MouseEvent, node: CanvasNode) => {
      if (node.type === "card" && !event.shiftKey && !event.ctrlKey && !event.metaKey) {
        store.getState().inspect(node.id);
      }
    },
    [store],
  );

  const onPaneClick = useCallback(() => store.getState().inspect(null), [store]);

  const join = useCallback((connection: Connection) => onConnect?.(...endsOf(connection)), [onConnect]);

  const onConnectEnd: OnConnectEnd = useCallback(
    (event, state) => {
      if (state.isValid || !state.fromNode || state.fromHandle?.type !== "source" || state.toNode) return;
      const point = "changedTouches" in event ? event.changedTouches[0] : event;
      if (!point) return;
      const place = screenToFlowPosition({ x: point.clientX, y: point.clientY });
      onDropped?.({ node: state.fromNode.id, port: state.fromHandle.id ?? "out" }, { x: place.x, y: place.y - 32 });
    },
    [screenToFlowPosition, onDropped],
  );

  const isValidConnection = useCallback(
    (connection: Connection | LineEdge) => {
      const { document: now, catalog: known } = store.getState();
      const refusal = connectRefusal(now, ...endsOf(connection), known);
      return refusal === undefined || refusal === "PORT_TAKEN";
    },
    [store],
  );

  const openMenu = useCallback(
    (event: MouseEvent | globalThis.MouseEvent, about: "nodes" | "canvas", id?: string) => {
      if (!onMenu) return;
      event.preventDefault();
      if (id !== undefined && !store.getState().selection.has(id)) store.getState().select([id]);
      onMenu({ x: event.clientX, y: event.clientY }, about);
    },
    [onMenu, store],
  );

  const labels = useMemo(
    () => ({
      "controls.ariaLabel": t("canvas.controls"),
      "controls.zoomIn.ariaLabel": t("canvas.zoomIn"),
      "controls.zoomOut.ariaLabel": t("canvas.zoomOut"),
      "controls.fitView.ariaLabel": t("canvas.fit"),
      "minimap.ariaLabel": t("canvas.minimap"),
      "handle.ariaLabel": t("canvas.port"),
    }),
    [t],
  );

  return (
    <ReactFlow<CanvasNode, LineEdge>
      ref={stage}
      className={far ? "lod" : ""}
      nodes={nodes}
      edges={edges}
      nodeTypes={nodeTypes}
      edgeTypes={edgeTypes}
      onNodesChange={onNodesChange}
      onEdgesChange={onEdgesChange}
      onNodeDragStart={startDrag}
      onNodeDragStop={dropNodes}
      onSelectionDragStart={startDrag}
      onSelectionDragStop={dropSelection}
      onNodeClick={onNodeClick}
      onNodeContextMenu={(event, node) => openMenu(event, "nodes", node.id)}
      onSelectionContextMenu={(event) => openMenu(event, "nodes")}
      onPaneContextMenu={(event) => openMenu(event, "canvas")}
      onPaneClick={onPaneClick}
      onConnect={join}
      onConnectEnd={onConnectEnd}
      isValidConnection={isValidConnection}
      nodesDraggable={!readOnly}
      nodesConnectable={!readOnly}
      nodesFocusable
      edgesFocusable
      deleteKeyCode={null}
      selectionKeyCode="Shift"
      multiSelectionKeyCode={MANY}
      selectionMode={SelectionMode.Partial}
      connectionMode={ConnectionMode.Strict}
      disableKeyboardA11y
      snapToGrid
      snapGrid={SNAP}
      minZoom={0.1}
      maxZoom={2}
      onlyRenderVisibleElements={nodes.length > CULL_FROM}
      zoomOnDoubleClick={false}
      ariaLabelConfig={labels}
    >
      <Background variant={BackgroundVariant.Dots} gap={24} size={1.5} />
      <Controls showInteractive={false} fitViewOptions={FIT} />
      {nodes.length >= MAP_FROM ? <MiniMap pannable zoomable style={MAP} className="max-md:hidden" /> : null}
    </ReactFlow>
  );
}
