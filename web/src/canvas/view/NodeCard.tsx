import { Handle, type Node, type NodeProps } from "@xyflow/react";
import { History, Pin, Repeat, RotateCw, TriangleAlert } from "lucide-react";
import { memo } from "react";
import { useSettings } from "@/app/settings";
import { useT } from "@/i18n";
import { ChangeIcon } from "@/ui/ChangeIcon";
import { StatusIcon, useStatusWord } from "@/ui/StatusBadge";
import { duration } from "@/ui/time";
import { CARD, titleOf } from "../model/document";
import { pinOf } from "../model/pins";
import { useNodeChange } from "../overlay/changes";
import { useNodeState, useOverlay } from "../overlay/overlay";
import { itemsOf } from "../overlay/runState";
import { problemsOf, useCanvas } from "../store";
import { iconOf } from "./icons";
import { nodesWithErrorEdge, portsOf } from "./ports";
import { summaryOf } from "./summary";

/** How a card stands out whose node is not the same in two versions. */
const CHANGED = {
  ADDED: "border-succeeded ring-1 ring-succeeded",
  REMOVED: "border-failed card-pale",
  CHANGED: "border-waiting ring-1 ring-waiting",
} as const;

export type CardNode = Node<Record<string, never>, "card">;

/** A node as a card. It listens to its own node only, so that others need not be drawn when it changes. */
export const NodeCard = memo(function NodeCard({ id, selected }: NodeProps<CardNode>) {
  const node = useCanvas((state) => state.document.definition.nodes[id]);
  const catalog = useCanvas((state) => state.catalog);
  const problems = useCanvas((state) => problemsOf(state).filter((problem) => problem.place.node === id).length);
  const inspected = useCanvas((state) => state.inspected === id);
  const readOnly = useCanvas((state) => state.readOnly);
  const errorLeads = useCanvas((state) => nodesWithErrorEdge(state.document.definition).has(id));
  const pinned = useCanvas((state) => pinOf(state.document, id) !== undefined);
  const run = useNodeState(id);
  const change = useNodeChange(id);
  const t = useT();
  if (!node) return null;
  const type = catalog.get(node.type);
  const Icon = iconOf(type?.icon);
  const marked = change ? CHANGED[change] : undefined;
  const ring = marked ?? (selected || inspected ? "border-accent ring-1 ring-accent" : "border-line");
  return (
    <div
      data-testid={`node-${id}`}
      style={{ width: CARD.width, height: CARD.height }}
      className={`card group relative flex items-center gap-2.5 rounded-lg border bg-surface px-2.5 ${ring} ${run?.status === "SKIPPED" ? "card-pale" : ""} ${node.disabled ? "card-disabled" : ""}`}
    >
      {pinned ? (
        <span aria-hidden className="absolute inset-y-1 left-0.5 border-accent border-l-2 border-dashed" />
      ) : null}
      <span className="card-detail flex size-8 shrink-0 items-center justify-center rounded-md bg-raised text-soft">
        <Icon size={18} aria-hidden />
      </span>
      <span className="card-detail min-w-0 flex-1">
        <span className="card-title block truncate font-medium">{titleOf(id, node)}</span>
        <span className="block truncate text-small text-soft">{summaryOf(node, type)}</span>
      </span>
      <span className="card-detail flex shrink-0 flex-col items-end gap-0.5 text-badge text-soft">
        <RunMark id={id} />
        {change ? <ChangeIcon change={change} label={t(`difference.${change}`)} /> : null}
        {problems > 0 && !run ? (
          <span role="img" aria-label={t("problems.count", { count: problems })} className="text-failed">
            <TriangleAlert size={16} aria-hidden />
          </span>
        ) : null}
        <span className="flex gap-1">
          {pinned ? <Pin size={12} aria-label={t("pin.pinned")} role="img" className="text-accent" /> : null}
          {node.for_each ? <Repeat size={12} aria-label={t("node.forEach")} role="img" /> : null}
          {node.retry ? <RotateCw size={12} aria-label={t("node.retries")} role="img" /> : null}
        </span>
      </span>
      {portsOf(node, catalog).map((port) => (
        <Handle
          key={`${port.type} ${port.id}`}
          id={port.id}
          type={port.type}
          position={port.position}
          isConnectable={!readOnly}
          className={`port ${port.id === "error" ? `port-error ${errorLeads ? "" : "port-idle"}` : ""}`}
          style={port.type === "source" && port.id === "error" ? { left: port.x } : { top: port.y }}
        >
          {port.labelled ? <span className="port-label">{port.id}</span> : null}
        </Handle>
      ))}
    </div>
  );
});

/** What the node does in the run that is shown: picture, how long, how many of its items. */
function RunMark({ id }: { id: string }) {
  const run = useNodeState(id);
  const all = useOverlay((state) => itemsOf(state, id).all);
  const done = useOverlay((state) => itemsOf(state, id).done);
  const language = useSettings((settings) => settings.language);
  const word = useStatusWord();
  const t = useT();
  if (!run) return null;
  const first = run.attempts[0]?.startedAt;
  return (
    <>
      <span role="img" aria-label={word(run.status)} title={word(run.status)}>
        <StatusIcon status={run.status} />
      </span>
      <span className="tabular-nums">
        {run.reused ? <History size={12} role="img" aria-label={t("nodeRun.reused")} /> : null}
        {all > 0
          ? `${done}/${all}`
          : first && run.endedAt
            ? duration(Date.parse(run.endedAt) - Date.parse(first), language)
            : run.attempts.length > 1
              ? `×${run.attempts.length}`
              : ""}
      </span>
    </>
  );
}
