import { BaseEdge, type Edge, EdgeLabelRenderer, type EdgeProps, getBezierPath } from "@xyflow/react";
import { Plus } from "lucide-react";
import { memo } from "react";
import { useT } from "@/i18n";
import { useEdgeChange } from "../overlay/changes";
import { useNodeState, useOverlay } from "../overlay/overlay";
import { itemsOf } from "../overlay/runState";
import { useCanvas } from "../store";

export type LineEdge = Edge<{ onInsert?: (id: string) => void }, "line">;

/** An edge as a line. In a run it shows whether it was taken; while building it has a place to put a node into it. */
export const FlowLine = memo(function FlowLine(props: EdgeProps<LineEdge>) {
  const { id, source, selected, data } = props;
  const [path, x, y] = getBezierPath(props);
  const problem = useCanvas((state) => state.problems.some((one) => one.place.edge === id));
  const run = useNodeState(source);
  const items = useOverlay((state) => (run ? itemsOf(state, source).done : 0));
  const change = useEdgeChange(id);
  const t = useT();
  const port = props.sourceHandleId ?? "out";
  const failed = run?.status === "FAILED" || run?.status === "TIMED_OUT";
  const taken = failed ? port === "error" : run?.status === "SUCCEEDED" && (run.port ?? "out") === port;
  const color = selected
    ? "var(--accent)"
    : change
      ? `var(--${change === "ADDED" ? "succeeded" : "failed"})`
      : problem || (taken && port === "error")
        ? "var(--failed)"
        : taken
          ? "var(--succeeded)"
          : "var(--field)";
  return (
    <>
      <BaseEdge
        path={path}
        style={{
          stroke: color,
          strokeWidth: selected || taken || change ? 2.5 : 1.5,
          ...(change === "REMOVED" ? { strokeDasharray: "6 4" } : {}),
        }}
        {...(problem ? { markerEnd: "" } : {})}
      />
      {taken && items > 0 ? (
        <EdgeLabelRenderer>
          <span
            style={{ transform: `translate(-50%, -50%) translate(${x}px, ${y}px)` }}
            className="pointer-events-none absolute rounded-full border border-line bg-surface px-1.5 text-badge tabular-nums"
          >
            {t("canvas.items", { count: items })}
          </span>
        </EdgeLabelRenderer>
      ) : null}
      {data?.onInsert && !(taken && items > 0) ? (
        <EdgeLabelRenderer>
          <button
            type="button"
            tabIndex={-1}
            aria-label={t("canvas.insertInto", { from: source, to: props.target })}
            title={t("action.insert")}
            data-testid={`insert-${id}`}
            onClick={() => data.onInsert?.(id)}
            style={{ transform: `translate(-50%, -50%) translate(${x}px, ${y}px)` }}
            className={`insert nodrag nopan absolute flex size-6 items-center justify-center rounded-full border border-line bg-surface text-soft hover:border-accent hover:text-accent ${selected ? "insert-shown" : ""}`}
          >
            <Plus size={14} aria-hidden />
          </button>
        </EdgeLabelRenderer>
      ) : null}
    </>
  );
});
