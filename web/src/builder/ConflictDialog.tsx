import type { FlowDocument } from "@/canvas/model/document";
import { at, type Json } from "@/canvas/model/json";
import type { Conflict } from "@/canvas/model/merge";
import { applyPatch, type Operation } from "@/canvas/model/patch";
import { useCanvas } from "@/canvas/store";
import { useT } from "@/i18n";
import { Button } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { Json as JsonText } from "@/ui/Json";

interface Props {
  conflicts: readonly Conflict[];
  onSettled: (conflict: Conflict) => void;
  onClose: () => void;
}

/** The document with the other's value in the place of a conflict. */
export function takeTheirs(document: FlowDocument, { path, theirs }: Conflict): FlowDocument {
  const there = at(document as unknown as Json, path) !== undefined;
  if (theirs === undefined && !there) return document;
  const operation: Operation =
    theirs === undefined ? { op: "remove", path } : { op: there ? "replace" : "add", path, value: theirs };
  return applyPatch(document, [operation]);
}

/** What two people changed to different things, one after the other: keep mine, or take theirs. */
export function ConflictDialog({ conflicts, onSettled, onClose }: Props) {
  const t = useT();
  const apply = useCanvas((state) => state.apply);
  const settle = (conflict: Conflict) => {
    onSettled(conflict);
    if (conflicts.length === 1) onClose();
  };
  const value = (json: Json | undefined) =>
    json === undefined ? t("conflict.nothing") : JSON.stringify(json, null, 2);
  return (
    <Dialog title={t("conflict.title")} onClose={onClose} wide>
      <ul className="flex flex-col gap-4">
        {conflicts.map((conflict) => (
          <li key={conflict.path} className="flex flex-col gap-2">
            <h3 className="font-mono font-semibold">{conflict.path.replace(/^\/definition\//, "")}</h3>
            <div className="grid grid-cols-2 gap-3 max-sm:grid-cols-1">
              <div className="flex flex-col gap-2">
                <JsonText label={t("conflict.mine")} text={value(conflict.mine)} />
                <Button onClick={() => settle(conflict)}>{t("draft.keepMine")}</Button>
              </div>
              <div className="flex flex-col gap-2">
                <JsonText label={t("conflict.theirs")} text={value(conflict.theirs)} />
                <Button
                  onClick={() => {
                    apply(t("did.conflict"), (document) => takeTheirs(document, conflict));
                    settle(conflict);
                  }}
                >
                  {t("conflict.take")}
                </Button>
              </div>
            </div>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}
