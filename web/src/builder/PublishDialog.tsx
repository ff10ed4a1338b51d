import { CircleCheck, CircleX, TriangleAlert } from "lucide-react";
import { useMemo, useState } from "react";
import { useMutation } from "urql";
import { messageOf, refusalOf } from "@/api/errors";
import { difference, isSame } from "@/canvas/model/difference";
import { openDocument } from "@/canvas/model/document";
import { type Problem, placed } from "@/canvas/model/problems";
import { problemsOf, useCanvas, useCanvasStore } from "@/canvas/store";
import { useT } from "@/i18n";
import { Button } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { Check, Select, TextField } from "@/ui/Field";
import { Told } from "@/ui/Told";
import { DifferenceList } from "@/versions/DifferenceList";
import { PublishDraftMutation } from "./queries";

interface Published {
  number: number;
  definition: unknown;
}

interface Props {
  name: string;
  draftId: string;
  latest: Published | null;
  environments: readonly { name: string; title: string }[];
  /** Saves what is not saved; says the revision that the server has. */
  save: () => Promise<number | undefined>;
  onPublished: (version: Published, environment: string) => void;
  onClose: () => void;
}

/** What will change, what is in the way, and a note; then one button. */
export function PublishDialog({ name, draftId, latest, environments, save, onPublished, onClose }: Props) {
  const t = useT();
  const store = useCanvasStore();
  const document = useCanvas((state) => state.document);
  const problems = useCanvas(problemsOf);
  const [note, setNote] = useState("");
  const [accepted, setAccepted] = useState(false);
  const [deployTo, setDeployTo] = useState(environments[0]?.name ?? "");
  const pins = Object.keys(document.sidecar.pins ?? {});
  const [refused, setRefused] = useState<string>();
  const [result, publish] = useMutation(PublishDraftMutation);
  const errors = problems.filter(({ severity }) => severity === "ERROR").length;
  const warnings = problems.filter(({ severity }) => severity === "WARNING");
  const changes = useMemo(
    () => difference(openDocument(latest?.definition ?? {}).definition, document.definition),
    [document, latest],
  );
  const unchanged = isSame(changes);
  const next = (latest?.number ?? 0) + 1;

  const go = async () => {
    setRefused(undefined);
    const expectedRevision = await save();
    if (expectedRevision === undefined) return setRefused(t("publish.notSaved"));
    const sent = store.getState().document;
    const answer = await publish({
      input: { draftId, expectedRevision, ...(deployTo ? { deployTo } : {}), ...(note ? { note } : {}) },
    });
    if (answer.error) return setRefused(messageOf(answer.error));
    const payload = answer.data?.publishDraft;
    if (!payload) return;
    store.getState().setServerProblems(sent, placed(payload.problems as Problem[], sent));
    if (payload.version) return onPublished(payload.version, deployTo);
    setRefused(refusalOf(payload.userErrors));
  };

  return (
    <Dialog
      wide
      title={t("publish.title", { name })}
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>{t("action.cancel")}</Button>
          <Button
            look="primary"
            disabled={errors > 0 || (warnings.length > 0 && !accepted) || unchanged || result.fetching}
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
            <CircleCheck size={16} className="shrink-0 text-succeeded" aria-hidden />
          ) : (
            <CircleX size={16} className="shrink-0 text-failed" aria-hidden />
          )}
          {errors === 0 ? t("publish.checked") : t("publish.blocked", { count: errors })}
        </p>
        {errors > 0 ? (
          <ul className="list-disc pl-6 text-soft">
            {problems
              .filter(({ severity }) => severity === "ERROR")
              .slice(0, 8)
              .map((problem) => (
                <li key={problem.code + problem.path + problem.message}>
                  <Told code={problem.code} message={problem.message} />
                </li>
              ))}
          </ul>
        ) : null}
        {warnings.length > 0 ? (
          <div>
            <p className="flex items-center gap-2">
              <TriangleAlert size={16} className="shrink-0 text-waiting" aria-hidden />
              {t("publish.warned", { count: warnings.length })}
            </p>
            <ul className="mt-1 list-disc pl-6 text-soft">
              {warnings.slice(0, 8).map((problem) => (
                <li key={problem.code + problem.path + problem.message}>
                  <Told code={problem.code} message={problem.message} />
                </li>
              ))}
            </ul>
            <Check label={t("publish.accept")} checked={accepted} onChange={setAccepted} />
          </div>
        ) : null}
        {pins.length > 0 ? <p className="text-soft">{t("publish.pins", { nodes: pins.join(", ") })}</p> : null}
        <div>
          <h3 className="mb-1 font-semibold">{t("publish.changes")}</h3>
          <div className="max-h-72 overflow-auto rounded-md border border-line p-2">
            <DifferenceList difference={changes} />
          </div>
        </div>
        <Select
          label={t("publish.deployTo")}
          value={deployTo}
          options={[
            ...environments.map(({ name: one, title }) => [one, title] as const),
            ["", t("publish.deployNowhere")] as const,
          ]}
          onChange={setDeployTo}
        />
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
