import { CirclePower, Link2, Plus, StickyNote, Trash2, TriangleAlert, X } from "lucide-react";
import { useMemo } from "react";
import { useT } from "@/i18n";
import { Button, IconButton } from "@/ui/Button";
import { inputLook } from "@/ui/Field";
import { StatusIcon, useStatusWord } from "@/ui/StatusBadge";
import { outputsOf } from "../model/catalog";
import { addNote, disconnect, mayBeDisabled, removeNodes, removeNotes, setDisabled, setNote } from "../model/commands";
import { type End, edgeId, source, target, titleOf } from "../model/document";
import { topological } from "../model/graph";
import { useNodeState } from "../overlay/overlay";
import { problemsOf, useCanvas } from "../store";

/** A note that was written in the outline stands above the drawing. */
const NOTE_PLACE = { x: 0, y: -160 };

interface Props {
  onAdd: () => void;
  onAddAfter: (from: End) => void;
  onConnect: (key: string) => void;
}

/** The workflow as a list, in the order in which it runs. Everything that the canvas can do to it can be done here. */
export function Outline({ onAdd, onAddAfter, onConnect }: Props) {
  const t = useT();
  const definition = useCanvas((state) => state.document.definition);
  const readOnly = useCanvas((state) => state.readOnly);
  const order = useMemo(() => topological(definition).order, [definition]);
  return (
    <section aria-label={t("outline.title")} className="h-full overflow-auto bg-page p-3">
      <ol className="mx-auto flex max-w-3xl flex-col gap-2">
        {order.map((key) => (
          <OutlineNode key={key} id={key} onAddAfter={onAddAfter} onConnect={onConnect} />
        ))}
      </ol>
      {order.length === 0 ? <p className="p-4 text-center text-soft">{t("builder.empty")}</p> : null}
      {readOnly ? null : (
        <div className="mx-auto mt-3 max-w-3xl">
          <Button icon={<Plus size={14} aria-hidden />} onClick={onAdd}>
            {t("action.addNode")}
          </Button>
        </div>
      )}
      <OutlineNotes />
    </section>
  );
}

/** The notes of the drawing, with their texts. */
function OutlineNotes() {
  const t = useT();
  const notes = useCanvas((state) => state.document.sidecar.notes);
  const readOnly = useCanvas((state) => state.readOnly);
  const apply = useCanvas((state) => state.apply);
  const ids = Object.keys(notes);
  if (readOnly && ids.length === 0) return null;
  return (
    <div className="mx-auto mt-4 flex max-w-3xl flex-col gap-2">
      {ids.map((id) => (
        <div key={id} className="flex items-start gap-1">
          <textarea
            aria-label={t("note.text")}
            rows={2}
            readOnly={readOnly}
            value={notes[id]?.text ?? ""}
            placeholder={t("note.placeholder")}
            onChange={({ target }) =>
              apply(t("did.note"), (document) => setNote(document, id, { text: target.value }), `note ${id}`)
            }
            className={`${inputLook} flex-1 py-1.5`}
          />
          {readOnly ? null : (
            <IconButton
              label={t("note.delete")}
              onClick={() => apply(t("did.delete"), (before) => removeNotes(before, [id]))}
            >
              <Trash2 size={14} aria-hidden />
            </IconButton>
          )}
        </div>
      ))}
      {readOnly ? null : (
        <div>
          <Button
            look="quiet"
            icon={<StickyNote size={14} aria-hidden />}
            onClick={() => apply(t("did.note"), (before) => addNote(before, NOTE_PLACE).document)}
          >
            {t("key.note")}
          </Button>
        </div>
      )}
    </div>
  );
}

function OutlineNode({ id, onAddAfter, onConnect }: { id: string } & Omit<Props, "onAdd">) {
  const t = useT();
  const word = useStatusWord();
  const document = useCanvas((state) => state.document);
  const catalog = useCanvas((state) => state.catalog);
  const readOnly = useCanvas((state) => state.readOnly);
  const apply = useCanvas((state) => state.apply);
  const inspect = useCanvas((state) => state.inspect);
  const inspected = useCanvas((state) => state.inspected === id);
  const problems = useCanvas((state) => problemsOf(state).filter((one) => one.place.node === id).length);
  const run = useNodeState(id);
  const node = document.definition.nodes[id];
  if (!node) return null;
  const title = titleOf(id, node);
  const outgoing = document.definition.edges.filter((edge) => source(edge).node === id);
  const name = (key: string) => titleOf(key, document.definition.nodes[key]);
  return (
    <li
      data-testid={`outline-${id}`}
      className={`rounded-lg border bg-surface p-2.5 ${inspected ? "border-accent" : "border-line"}`}
    >
      <div className="flex items-center gap-2">
        <button
          type="button"
          data-outline={id}
          className="min-w-0 flex-1 rounded text-left"
          onClick={() => inspect(id)}
        >
          <span className={`block truncate font-medium ${node.disabled ? "text-soft line-through" : ""}`}>{title}</span>
          <span className="block truncate text-small text-soft">
            {catalog.get(node.type)?.title ?? node.type} · <span className="font-mono">{id}</span>
          </span>
        </button>
        {run ? (
          <span className="inline-flex items-center gap-1 text-small">
            <StatusIcon status={run.status} />
            {word(run.status)}
          </span>
        ) : null}
        {problems > 0 && !run ? (
          <span className="inline-flex items-center gap-1 text-failed text-small">
            <TriangleAlert size={14} aria-hidden />
            {t("problems.count", { count: problems })}
          </span>
        ) : null}
        {node.disabled ? <span className="text-small text-soft">{t("node.disabled")}</span> : null}
        {readOnly || !mayBeDisabled(document, id, catalog) ? null : (
          <IconButton
            label={t(node.disabled ? "outline.enable" : "outline.disable", { title })}
            aria-pressed={node.disabled ?? false}
            onClick={() =>
              apply(t(node.disabled ? "did.enable" : "did.disable"), (before) =>
                setDisabled(before, [id], !node.disabled),
              )
            }
          >
            <CirclePower size={14} aria-hidden />
          </IconButton>
        )}
        {readOnly ? null : (
          <IconButton
            label={t("outline.delete", { title })}
            onClick={() => apply(t("did.delete"), (before) => removeNodes(before, [id]))}
          >
            <Trash2 size={14} aria-hidden />
          </IconButton>
        )}
      </div>
      {outgoing.length > 0 ? (
        <ul className="mt-1 flex flex-col border-line border-l-2 pl-2">
          {outgoing.map((edge) => (
            <li key={edgeId(edge)} className="flex items-center gap-1 text-small">
              <span className="text-soft">{source(edge).port === "out" ? t("outline.then") : source(edge).port}</span>
              <span aria-hidden>→</span>
              <span className="truncate">{name(target(edge).node)}</span>
              {readOnly ? null : (
                <IconButton
                  label={t("outline.disconnect", { from: title, to: name(target(edge).node) })}
                  className="size-6"
                  onClick={() => apply(t("did.disconnect"), (before) => disconnect(before, [edgeId(edge)]))}
                >
                  <X size={12} aria-hidden />
                </IconButton>
              )}
            </li>
          ))}
        </ul>
      ) : null}
      {readOnly ? null : (
        <div className="mt-1.5 flex flex-wrap gap-1">
          {outputsOf(node, catalog).map(({ name: port }) => (
            <Button
              key={port}
              look="quiet"
              className="h-7 px-2 text-small"
              icon={<Plus size={12} aria-hidden />}
              aria-label={t("outline.addAfterLabel", { title, port })}
              onClick={() => onAddAfter({ node: id, port })}
            >
              {port === "out" ? t("outline.addAfter") : t("outline.addAfterPort", { port })}
            </Button>
          ))}
          <Button
            look="quiet"
            className="h-7 px-2 text-small"
            icon={<Link2 size={12} aria-hidden />}
            aria-label={t("outline.connectLabel", { title })}
            onClick={() => onConnect(id)}
          >
            {t("outline.connect")}
          </Button>
        </div>
      )}
    </li>
  );
}
