import type { Node, NodeProps } from "@xyflow/react";
import { memo } from "react";
import { useT } from "@/i18n";
import { setNote } from "../model/commands";
import { useCanvas } from "../store";

export type NoteNode = Node<Record<string, never>, "note">;

/** A sheet of text on the canvas; what is typed goes into the document at once. */
export const NoteCard = memo(function NoteCard({ id, selected }: NodeProps<NoteNode>) {
  const note = useCanvas((state) => state.document.sidecar.notes[id]);
  const apply = useCanvas((state) => state.apply);
  const readOnly = useCanvas((state) => state.readOnly);
  const t = useT();
  if (!note) return null;
  return (
    <div
      data-testid={`note-${id}`}
      style={{ width: note.width, height: note.height }}
      className={`rounded-md border bg-[#fff6d6] p-2 text-[#3d3005] dark:bg-[#3a3214] dark:text-[#f6e7b2] ${selected ? "border-accent" : "border-transparent"}`}
    >
      <textarea
        aria-label={t("note.text")}
        readOnly={readOnly}
        value={note.text}
        placeholder={t("note.placeholder")}
        onKeyDown={(event) => event.stopPropagation()}
        onChange={({ target }) =>
          apply(t("did.note"), (document) => setNote(document, id, { text: target.value }), `note ${id}`)
        }
        className="nodrag size-full resize-none bg-transparent placeholder:text-current placeholder:opacity-70"
      />
    </div>
  );
});
