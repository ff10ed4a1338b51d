import { useCallback } from "react";
import { useT } from "@/i18n";
import { Button } from "@/ui/Button";
import { Select, TextField } from "@/ui/Field";
import { useWords } from "@/ui/Told";
import type { NodeTypeSpec } from "../model/catalog";
import { isTrigger } from "../model/catalog";
import { setNode } from "../model/commands";
import type { FlowNode, ForEach, Retry } from "../model/document";
import type { PlacedProblem } from "../model/problems";
import { useCanvasStore } from "../store";
import { CodeField } from "./expression/CodeField";
import type { FormContext } from "./schemaForm/SchemaForm";

interface Props {
  id: string;
  node: FlowNode;
  type: NodeTypeSpec | undefined;
  form: FormContext;
  problems: readonly PlacedProblem[];
}

/** When a node starts, how often it is tried, how long it may take, and whether it runs once per item. */
export function NodeSettings({ id, node, type, form, problems }: Props) {
  const store = useCanvasStore();
  const t = useT();
  const set = (changes: Parameters<typeof setNode>[2]) =>
    store.getState().apply(t("did.settings"), (document) => setNode(document, id, changes), `settings ${id}`);
  const inWords = useWords();
  const errorAt = (field: string) => {
    const problem = problems.find(({ place }) => place.field === field);
    return problem && inWords(problem);
  };
  const text = (field: "timeout" | "deadline", placeholder: string) => (
    <TextField
      label={t(`settings.${field}`)}
      help={t(`settings.${field}.help`)}
      placeholder={placeholder}
      readOnly={form.readOnly}
      error={errorAt(`/${field}`)}
      value={node[field] ?? ""}
      onChange={(value) => set({ [field]: value || undefined })}
    />
  );
  if (isTrigger(type)) return <p className="text-soft">{t("settings.trigger")}</p>;
  return (
    <div className="flex flex-col gap-4">
      <RetryFields retry={node.retry} set={(retry) => set({ retry })} errorAt={errorAt} readOnly={form.readOnly} />
      {text("timeout", "5m")}
      {text("deadline", t("settings.none"))}
      <Select
        label={t("settings.join")}
        help={t("settings.join.help")}
        disabled={form.readOnly}
        value={node.join ?? "all"}
        options={[
          ["all", t("settings.join.all")],
          ["any", t("settings.join.any")],
        ]}
        onChange={(value) => set({ join: value === "any" ? "any" : undefined })}
      />
      <Select
        label={t("settings.uncertain")}
        help={t("settings.uncertain.help")}
        disabled={form.readOnly}
        value={node.on_uncertain ?? "park"}
        options={[
          ["park", t("settings.uncertain.park")],
          ["retry", t("settings.uncertain.retry")],
          ["fail", t("settings.uncertain.fail")],
        ]}
        onChange={(value) => set({ on_uncertain: value === "park" ? undefined : (value as "retry" | "fail") })}
      />
      {type?.forEach || node.for_each ? (
        <ForEachFields forEach={node.for_each} set={(for_each) => set({ for_each })} errorAt={errorAt} form={form} />
      ) : null}
    </div>
  );
}

interface RetryProps {
  retry: Retry | undefined;
  set: (retry: Retry | undefined) => void;
  errorAt: (field: string) => string | undefined;
  readOnly: boolean;
}

function RetryFields({ retry, set, errorAt, readOnly }: RetryProps) {
  const t = useT();
  if (!retry) {
    return (
      <div className="flex items-center justify-between gap-2">
        <div>
          <p className="font-medium">{t("settings.retry")}</p>
          <p className="text-small text-soft">{t("settings.retry.help")}</p>
        </div>
        <Button disabled={readOnly} onClick={() => set({ attempts: 3 })}>
          {t("settings.retry.add")}
        </Button>
      </div>
    );
  }
  const change = (changes: { [Field in keyof Retry]?: Retry[Field] | undefined }) =>
    set(
      Object.fromEntries(
        Object.entries({ ...retry, ...changes }).filter(([, value]) => value !== undefined),
      ) as unknown as Retry,
    );
  const number = (field: "coefficient" | "jitter", step: number, placeholder: string) => (
    <TextField
      label={t(`settings.retry.${field}`)}
      type="number"
      step={step}
      readOnly={readOnly}
      placeholder={placeholder}
      error={errorAt(`/retry/${field}`)}
      value={retry[field] ?? ""}
      onChange={(value) => change({ [field]: value === "" ? undefined : Number(value) })}
    />
  );
  const duration = (field: "initial" | "cap", placeholder: string) => (
    <TextField
      label={t(`settings.retry.${field}`)}
      readOnly={readOnly}
      placeholder={placeholder}
      error={errorAt(`/retry/${field}`)}
      value={retry[field] ?? ""}
      onChange={(value) => change({ [field]: value || undefined })}
    />
  );
  return (
    <fieldset className="rounded-md border border-line p-3">
      <legend className="px-1 font-medium">{t("settings.retry")}</legend>
      <div className="grid grid-cols-2 gap-3">
        <TextField
          label={t("settings.retry.attempts")}
          type="number"
          min={1}
          max={100}
          readOnly={readOnly}
          error={errorAt("/retry/attempts")}
          value={retry.attempts}
          onChange={(value) => change({ attempts: Math.max(1, Math.trunc(Number(value)) || 1) })}
        />
        {duration("initial", "1s")}
        {number("coefficient", 0.5, "2")}
        {duration("cap", "100s")}
        {number("jitter", 0.1, "0.2")}
        <TextField
          label={t("settings.retry.on")}
          placeholder={t("settings.retry.on.all")}
          readOnly={readOnly}
          value={(retry.on ?? []).join(", ")}
          onChange={(value) => {
            const codes = value.split(/[\s,]+/).filter(Boolean);
            change({ on: codes.length > 0 ? codes : undefined });
          }}
        />
      </div>
      <Button look="quiet" className="mt-3" disabled={readOnly} onClick={() => set(undefined)}>
        {t("settings.retry.remove")}
      </Button>
    </fieldset>
  );
}

interface ForEachProps {
  forEach: ForEach | undefined;
  set: (forEach: ForEach | undefined) => void;
  errorAt: (field: string) => string | undefined;
  form: FormContext;
}

function ForEachFields({ forEach, set, errorAt, form }: ForEachProps) {
  const t = useT();
  const check = useCallback(
    (expression: string, cursor?: number) => form.check("/for_each/items", expression, cursor),
    [form.check],
  );
  if (!forEach) {
    return (
      <div className="flex items-center justify-between gap-2">
        <div>
          <p className="font-medium">{t("settings.forEach")}</p>
          <p className="text-small text-soft">{t("settings.forEach.help")}</p>
        </div>
        <Button disabled={form.readOnly} onClick={() => set({ items: "{{ input }}" })}>
          {t("settings.forEach.add")}
        </Button>
      </div>
    );
  }
  return (
    <fieldset className="rounded-md border border-line p-3">
      <legend className="px-1 font-medium">{t("settings.forEach")}</legend>
      <div className="flex flex-col gap-3">
        <CodeField
          label={t("settings.forEach.items")}
          scope={form.scope}
          check={check}
          readOnly={form.readOnly}
          error={errorAt("/for_each/items") ?? errorAt("/for_each")}
          value={typeof forEach.items === "string" ? forEach.items : JSON.stringify(forEach.items)}
          onChange={(items) => set({ ...forEach, items })}
        />
        <TextField
          label={t("settings.forEach.concurrency")}
          type="number"
          min={1}
          max={1000}
          placeholder="10"
          readOnly={form.readOnly}
          error={errorAt("/for_each/concurrency")}
          value={forEach.concurrency ?? ""}
          onChange={(value) => {
            const { concurrency: _, ...rest } = forEach;
            set(value === "" ? rest : { ...rest, concurrency: Math.max(1, Math.trunc(Number(value)) || 1) });
          }}
        />
        <Select
          label={t("settings.forEach.onError")}
          disabled={form.readOnly}
          value={forEach.on_item_error ?? "fail"}
          options={[
            ["fail", t("settings.forEach.fail")],
            ["collect", t("settings.forEach.collect")],
            ["skip", t("settings.forEach.skip")],
          ]}
          onChange={(value) => set({ ...forEach, on_item_error: value as "fail" | "collect" | "skip" })}
        />
      </div>
      <Button look="quiet" className="mt-3" disabled={form.readOnly} onClick={() => set(undefined)}>
        {t("settings.forEach.remove")}
      </Button>
    </fieldset>
  );
}
