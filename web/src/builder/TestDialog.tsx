import { useMemo, useState } from "react";
import { useNavigate } from "react-router";
import { useMutation, useQuery } from "urql";
import { messageOf } from "@/api/errors";
import { parse } from "@/canvas/inspector/schemaForm/kind";
import { type Problem, placed } from "@/canvas/model/problems";
import { useCanvas, useCanvasStore } from "@/canvas/store";
import { useT } from "@/i18n";
import { Button } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { Select, TextArea } from "@/ui/Field";
import { TestPlanQuery, TestRunMutation } from "./queries";
import { sample } from "./RunDialog";

interface Props {
  workflowId: string;
  onClose: () => void;
}

/** Tries the workflow as it is being edited: all of it, or up to one node. Says before what will act for real. */
export function TestDialog({ workflowId, onClose }: Props) {
  const t = useT();
  const navigate = useNavigate();
  const store = useCanvasStore();
  const document = useCanvas((state) => state.document);
  const inspected = useCanvas((state) => state.inspected);
  const [input, setInput] = useState(() => JSON.stringify(sample(document.definition.input_schema), null, 2));
  const [toNode, setToNode] = useState(inspected ?? "");
  const [refused, setRefused] = useState<string>();
  const [result, start] = useMutation(TestRunMutation);
  const read = parse(input);
  const what = useMemo(
    () => ({ workflowId, definition: document.definition, ...(toNode ? { toNode } : {}) }),
    [workflowId, document, toNode],
  );
  const [plan] = useQuery({ query: TestPlanQuery, variables: { input: what }, requestPolicy: "network-only" });
  const effectful = plan.data?.testPlan.effectful ?? [];
  const reused = plan.data?.testPlan.nodes.filter(({ fate }) => fate === "REUSED").map(({ node }) => node) ?? [];

  const go = async () => {
    if (!read.ok) return;
    const answer = await start({ input: { ...what, input: read.value ?? null } });
    if (answer.error) return setRefused(messageOf(answer.error));
    const payload = answer.data?.testRun;
    if (payload?.run) {
      // A definition that was never published belongs to no version, so the page is handed it.
      return void navigate(`/runs/${payload.run.id}`, { state: { tried: document } });
    }
    if (payload) store.getState().setServerProblems(document, placed(payload.problems as Problem[], document));
    setRefused((payload?.userErrors ?? []).map(({ message }) => message).join(" "));
  };

  return (
    <Dialog
      title={t("test.title")}
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>{t("action.cancel")}</Button>
          <Button look="primary" disabled={!read.ok || result.fetching} onClick={() => void go()}>
            {t("test.go")}
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-4">
        <TextArea
          label={t("run.input")}
          help={t("run.input.help")}
          rows={8}
          value={input}
          error={read.ok ? undefined : t("form.notJson", { message: read.message })}
          onChange={setInput}
        />
        <Select
          label={t("test.toNode")}
          value={toNode}
          options={[["", t("test.all")], ...Object.keys(document.definition.nodes).map((key) => [key, key] as const)]}
          onChange={setToNode}
        />
        {effectful.length > 0 ? (
          <p className="rounded-md border border-waiting p-2">{t("test.effectful", { nodes: effectful.join(", ") })}</p>
        ) : null}
        {reused.length > 0 ? <p className="text-soft">{t("test.reused", { nodes: reused.join(", ") })}</p> : null}
        {refused ? (
          <p role="alert" className="text-failed">
            {refused}
          </p>
        ) : null}
      </div>
    </Dialog>
  );
}
