import { useMemo } from "react";
import { memberOf, ValueTree } from "@/data/ValueTree";
import { Redacted } from "@/data/ValueView";
import { useT } from "@/i18n";
import { inputsOf } from "../model/catalog";
import { source, target, titleOf } from "../model/document";
import { upstream } from "../model/graph";
import { pinOf } from "../model/pins";
import { nodeRunId } from "../overlay/ids";
import { useCanvas } from "../store";
import { useLastRun, useSample } from "./lastRun";

/** More nodes than this before a node are left to the expression's own completion. */
const MOST_BEFORE = 30;

/** The data that a node's expressions can name: what arrives, and what the nodes before it gave in the last run. */
export function Arriving({ id }: { id: string }) {
  const t = useT();
  const definition = useCanvas((state) => state.document.definition);
  const catalog = useCanvas((state) => state.catalog);
  const { direct, others, many } = useMemo(() => {
    const edges = definition.edges.filter((edge) => target(edge).node === id);
    const direct = [...new Set(edges.map((edge) => source(edge).node))].filter((key) => definition.nodes[key]);
    const before = [...upstream(definition, id)].filter((key) => key !== id && !direct.includes(key)).sort();
    const node = definition.nodes[id];
    return { direct, others: before, many: node ? inputsOf(node, catalog).some((port) => port.many) : false };
  }, [definition, catalog, id]);
  if (direct.length === 0) return <p className="text-small text-soft">{t("data.nothingBefore")}</p>;
  return (
    <div className="flex flex-col gap-2">
      {direct.map((key) => (
        <Before key={key} id={key} path={many ? memberOf("input", key) : "input"} open />
      ))}
      {others.slice(0, MOST_BEFORE).map((key) => (
        <Before key={key} id={key} path={`nodes.${key}.output`} />
      ))}
    </div>
  );
}

function Before({ id, path, open = false }: { id: string; path: string; open?: boolean }) {
  const t = useT();
  const title = useCanvas((state) => titleOf(id, state.document.definition.nodes[id]));
  const pin = useCanvas((state) => pinOf(state.document, id));
  const { runId } = useLastRun();
  const sample = useSample(id);
  const value = pin ? pin.output : sample?.value;
  const part = { name: path, kind: sample?.kind ?? "", bytes: sample?.bytes ?? 0, preview: sample?.preview ?? "" };
  const source = useMemo(
    () => (runId === null ? undefined : ({ of: "output", nodeRun: nodeRunId(runId, id) } as const)),
    [runId, id],
  );
  return (
    <div>
      <p className="flex items-baseline gap-2 text-small">
        <span className="font-medium">{title}</span>
        {pin ? <span className="text-badge text-soft">{t("pin.pinned")}</span> : null}
        {!pin && sample?.redacted ? <Redacted /> : null}
      </p>
      {value !== undefined || (sample && source) ? (
        <ValueTree part={value === undefined ? part : { ...part, value }} path={path} source={source} open={open} />
      ) : (
        <p className="text-small text-soft">{t("data.notRun", { path })}</p>
      )}
    </div>
  );
}
