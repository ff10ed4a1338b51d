import { X } from "lucide-react";
import { useMemo, useState } from "react";
import { useClient, useMutation } from "urql";
import { messageOf, refusalOf } from "@/api/errors";
import { CodeField } from "@/canvas/inspector/expression/CodeField";
import { outputChecker } from "@/canvas/inspector/expression/check";
import { outputScope, startScope } from "@/canvas/inspector/expression/types";
import { useLastRun } from "@/canvas/inspector/lastRun";
import { type FormContext, JsonField, MapField } from "@/canvas/inspector/schemaForm/SchemaForm";
import { setDefinition, setSettings } from "@/canvas/model/commands";
import { type Json, steps } from "@/canvas/model/json";
import { problemsOf, useCanvas, useCanvasStore } from "@/canvas/store";
import { useT } from "@/i18n";
import { Button, IconButton } from "@/ui/Button";
import { TextField } from "@/ui/Field";
import { useWords } from "@/ui/Told";
import { useToasts } from "@/ui/toast";
import { UpdateWorkflowMutation } from "./queries";

interface Props {
  workflow: { id: string; title: string; description?: string | null | undefined; tags: readonly string[] };
  onClose: () => void;
}

/** What holds for the whole workflow: what it is called, what its runs get and give, and how they are found. */
export function WorkflowSettings({ workflow, onClose }: Props) {
  const t = useT();
  const store = useCanvasStore();
  const client = useClient();
  const { runId } = useLastRun();
  const inWords = useWords();
  const definition = useCanvas((state) => state.document.definition);
  const readOnly = useCanvas((state) => state.readOnly);
  const problems = useCanvas(problemsOf);
  const settings = definition.settings ?? {};
  const errorAt = (path: string) => {
    const problem = problems.find(
      (one) => one.path === path || (path !== "/settings" && one.path.startsWith(`${path}/`)),
    );
    return problem && inWords(problem);
  };
  const set = (changes: Parameters<typeof setSettings>[1]) =>
    store
      .getState()
      .apply(t("did.settings"), (before) => setSettings(before, changes), `settings ${Object.keys(changes)}`);
  const put = (changes: Parameters<typeof setDefinition>[1]) =>
    store
      .getState()
      .apply(t("did.settings"), (before) => setDefinition(before, changes), `definition ${Object.keys(changes)}`);
  const atStart = () => startScope(store.getState().document);
  const atEnd = () => outputScope(store.getState().document, store.getState().catalog);
  const check = useMemo(() => outputChecker(client, store, runId), [client, store, runId]);
  const checkOutput = useMemo(() => (expression: string, cursor?: number) => check("", expression, cursor), [check]);
  const labels: FormContext = {
    readOnly,
    scope: atStart,
    // Nothing but the start of a run is known to them; the draft's problems say what is wrong.
    check: async () => undefined,
    errorAt: (path) => errorAt(`/settings${path}`),
    set: (path, value: Json | undefined) => {
      const [, name = ""] = steps(path);
      const { [name]: _, ...rest } = store.getState().document.definition.settings?.labels ?? {};
      set({ labels: value === undefined ? rest : { ...rest, [name]: String(value) } });
    },
  };
  return (
    <section aria-label={t("workflow.settings")} className="flex h-full min-h-0 flex-col overflow-auto bg-surface">
      <header className="flex items-center justify-between gap-2 p-3">
        <h2 className="font-semibold text-section">{t("workflow.settings")}</h2>
        <IconButton label={t("action.closePanel")} onClick={onClose}>
          <X size={16} aria-hidden />
        </IconButton>
      </header>
      <div className="flex flex-col gap-4 px-3 pb-4">
        <About workflow={workflow} readOnly={readOnly} />
        <h3 className="border-line border-t pt-3 font-semibold">{t("workflow.runs")}</h3>
        <TextField
          label={t("settings.timeout")}
          help={t("workflow.timeout.help")}
          placeholder={t("settings.none")}
          readOnly={readOnly}
          error={errorAt("/settings/timeout")}
          value={settings.timeout ?? ""}
          onChange={(timeout) => set({ timeout })}
        />
        <CodeField
          label={t("runs.key")}
          help={t("workflow.key.help")}
          placeholder="order-{{ input.id }}"
          scope={atStart}
          readOnly={readOnly}
          error={errorAt("/settings/key")}
          value={settings.key ?? ""}
          onChange={(key) => set({ key })}
        />
        <MapField
          label={t("workflow.labels")}
          help={t("workflow.labels.help")}
          error={undefined}
          value={settings.labels}
          path="/labels"
          form={labels}
        />
        <JsonField
          label={t("workflow.inputSchema")}
          help={t("workflow.inputSchema.help")}
          scope={atStart}
          readOnly={readOnly}
          error={errorAt("/input_schema")}
          value={definition.input_schema}
          onChange={(input_schema) => put({ input_schema })}
        />
        <JsonField
          label={t("workflow.output")}
          help={t("workflow.output.help")}
          scope={atEnd}
          check={checkOutput}
          readOnly={readOnly}
          error={errorAt("/output")}
          value={definition.output}
          onChange={(output) => put({ output })}
        />
      </div>
    </section>
  );
}

/** What people call the workflow. It belongs to no version, so it is kept at once and not with the draft. */
function About({ workflow, readOnly }: { workflow: Props["workflow"]; readOnly: boolean }) {
  const t = useT();
  const toast = useToasts((toasts) => toasts.show);
  const [title, setTitle] = useState(workflow.title);
  const [description, setDescription] = useState(workflow.description ?? "");
  const [tags, setTags] = useState(workflow.tags.join(", "));
  const [result, update] = useMutation(UpdateWorkflowMutation);
  const wanted = tags.split(/[\s,]+/).filter(Boolean);
  const unchanged =
    title === workflow.title && description === (workflow.description ?? "") && wanted.join() === workflow.tags.join();
  const save = async () => {
    const answer = await update({ input: { workflowId: workflow.id, title, description, tags: wanted } });
    const refused = answer.error ? messageOf(answer.error) : refusalOf(answer.data?.updateWorkflow.userErrors);
    toast(refused || t("workflow.saved"));
  };
  return (
    <form
      className="flex flex-col gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
    >
      <TextField label={t("workflows.title")} readOnly={readOnly} value={title} onChange={setTitle} />
      <TextField
        label={t("workflow.description")}
        help={t("workflow.description.help")}
        readOnly={readOnly}
        value={description}
        onChange={setDescription}
      />
      <TextField
        label={t("workflow.tags")}
        help={t("workflow.tags.help")}
        readOnly={readOnly}
        value={tags}
        onChange={setTags}
      />
      {unchanged || readOnly ? null : (
        <div>
          <Button type="submit" look="primary" disabled={result.fetching}>
            {t("connections.save")}
          </Button>
        </div>
      )}
    </form>
  );
}
