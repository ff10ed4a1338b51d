import { CircleCheck, CircleX } from "lucide-react";
import { useMemo, useState } from "react";
import { useMutation } from "urql";
import { messageOf } from "@/api/errors";
import type { FlowDocument } from "@/canvas/model/document";
import type { Json } from "@/canvas/model/json";
import { diff, type Operation } from "@/canvas/model/patch";
import { type Problem, placed } from "@/canvas/model/problems";
import { problemsOf, useCanvas, useCanvasStore } from "@/canvas/store";
import { useT } from "@/i18n";
import { Button } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { TextField } from "@/ui/Field";
import { PublishDraftMutation } from "./queries";

interface Published {
  number: number;
  definition: unknown;
}

interface Props {
  name: string;
  draftId: string;
  latest: Published | null;
  /** Saves what is not saved; says the revision that the server has. */
  save: () => Promise<number | undefined>;
  onPublished: (version: Published) => void;
  onClose: () => void;
}

/** What will change, what is in the way, and a note; then one button. */
export function PublishDialog({ name, draftId, latest, save, onPublished, onClose }: Props) {
  const t = useT();
  const store = useCanvasStore();
  const document = useCanvas((state) => state.document);
  const problems = useCanvas(problemsOf);
  const [note, setNote] = useState("");
  const [refused, setRefused] = useState<string>();
  const [result, publish] = useMutation(PublishDraftMutation);
  const errors = problems.filter(({ severity }) => severity === "ERROR").length;
  const changes = useMemo(() => changesOf(document, latest), [document, latest]);
  const next = (latest?.number ?? 0) + 1;

  const go = async () => {
    setRefused(undefined);
    const expectedRevision = await save();
    if (expectedRevision === undefined) return setRefused(t("publish.notSaved"));
    const sent = store.getState().document;
    const answer = await publish({
      input: { draftId, expectedRevision, deployTo: "default", ...(note ? { note } : {}) },
    });
    if (answer.error) return setRefused(messageOf(answer.error));
    const payload = answer.data?.publishDraft;
    if (!payload) return;
    store.getState().setServerProblems(sent, placed(payload.problems as Problem[], sent));
    if (payload.version) return onPublished(payload.version);
    setRefused(payload.userErrors.map(({ message }) => message).join(" "));
  };

  return (
    <Dialog
      title={t("publish.title", { name })}
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>{t("action.cancel")}</Button>
          <Button
            look="primary"
            disabled={errors > 0 || changes.length === 0 || result.fetching}
            onClick={() => void go()}
          >
            {t("publish.go", { number: next })}
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-4">
        <p className="flex items-center gap-2">
          {errors === 0 ? (
            <CircleCheck size={16} className="text-succeeded" aria-hidden />
          ) : (
            <CircleX size={16} className="text-failed" aria-hidden />
          )}
          {errors === 0 ? t("publish.checked") : t("publish.blocked", { count: errors })}
        </p>
        {errors > 0 ? (
          <ul className="list-disc pl-6 text-soft">
            {problems.slice(0, 8).map((problem) => (
              <li key={problem.code + problem.path + problem.message}>{problem.message}</li>
            ))}
          </ul>
        ) : null}
        <div>
          <h3 className="mb-1 font-semibold">{t("publish.changes")}</h3>
          {changes.length === 0 ? <p className="text-soft">{t("publish.noChanges")}</p> : null}
          <ul className="flex max-h-48 flex-col gap-0.5 overflow-auto">
            {changes.map(({ kind, what }) => (
              <li key={kind + what} className="flex gap-2">
                <span className="w-20 shrink-0 text-soft">{t(`publish.${kind}`)}</span>
                <span className="truncate font-mono">{what}</span>
              </li>
            ))}
          </ul>
        </div>
        <TextField label={t("publish.note")} value={note} onChange={setNote} help={t("publish.note.help")} />
        {refused ? (
          <p role="alert" className="text-failed">
            {refused}
          </p>
        ) : null}
      </div>
    </Dialog>
  );
}

interface Change {
  kind: "added" | "changed" | "removed";
  what: string;
}

/** The differences to the latest version, one line for each node and one for the edges. */
export function changesOf(document: FlowDocument, latest: { definition: unknown } | null): Change[] {
  const before = (latest?.definition ?? { nodes: {}, edges: [] }) as Json;
  const found = new Map<string, Change>();
  for (const operation of diff(before, document.definition) as Operation[]) {
    const [, root = "", name, ...rest] = operation.path.split("/");
    const what = root === "nodes" ? (name ?? root) : root;
    const whole = root === "nodes" && rest.length === 0;
    const kind = whole && operation.op === "add" ? "added" : whole && operation.op === "remove" ? "removed" : "changed";
    found.set(what, { kind, what });
  }
  return [...found.values()];
}
