import { CirclePower, Trash2, X } from "lucide-react";
import { type ReactNode, useEffect, useMemo, useRef, useState } from "react";
import { ConnectionPicker } from "@/connections/ConnectionPicker";
import { useT } from "@/i18n";
import { Button, IconButton } from "@/ui/Button";
import { TextField } from "@/ui/Field";
import { Tabs } from "@/ui/Tabs";
import { Hint, Told, useWords } from "@/ui/Told";
import {
  mayBeDisabled,
  removeNodes,
  renameNode,
  renameRefusal,
  setConfig,
  setDisabled,
  setNode,
} from "../model/commands";
import type { FlowNode } from "../model/document";
import type { Json } from "../model/json";
import { problemsOf, useCanvas, useCanvasStore } from "../store";
import { Arriving } from "./Arriving";
import { useChecker } from "./expression/check";
import { scopeOf } from "./expression/types";
import { Giving } from "./Giving";
import { useLastRun } from "./lastRun";
import { Markdown } from "./Markdown";
import { NodeSettings } from "./NodeSettings";
import { type FormContext, SchemaForm } from "./schemaForm/SchemaForm";

type Tab = "parameters" | "settings" | "docs";

/** Everything about one node: what it is called, its parameters, when it is tried again, and its guide. */
export function Inspector({ id }: { id: string }) {
  const store = useCanvasStore();
  const t = useT();
  const node = useCanvas((state) => state.document.definition.nodes[id]);
  const type = useCanvas((state) => state.catalog.get(state.document.definition.nodes[id]?.type ?? ""));
  const readOnly = useCanvas((state) => state.readOnly);
  const problems = useCanvas(problemsOf);
  const [tab, setTab] = useState<Tab>("parameters");
  const own = useMemo(() => problems.filter((problem) => problem.place.node === id), [problems, id]);

  const inWords = useWords();
  const connectionProblem = own.find(({ place }) => place.field === "/connection");
  const check = useChecker(id);
  const { project, mayManage } = useLastRun();
  const form = useMemo((): FormContext => {
    const errorAt = (path: string) => {
      const problem = own.find(({ place }) => place.field === `/config${path}`);
      if (!problem) return undefined;
      return problem.place.missing === undefined ? inWords(problem) : t("form.required");
    };
    return {
      readOnly,
      errorAt,
      check,
      scope: () => scopeOf(store.getState().document, store.getState().catalog, id),
      set: (path, value: Json | undefined) =>
        store
          .getState()
          .apply(t("did.config"), (document) => setConfig(document, id, path, value), `config ${id} ${path}`),
    };
  }, [own, readOnly, store, id, t, check, inWords]);

  if (!node) return null;
  const general = own.filter(({ place }) => !place.field || place.field === "/config" || place.field === "/type");
  return (
    <section
      data-inspector
      // Before the fields, which keep their keys to themselves. The first Escape closes a list of completions.
      onKeyDownCapture={(event) => {
        if (event.key !== "Escape" || document.querySelector(".cm-tooltip-autocomplete, dialog[open]")) return;
        document.querySelector<HTMLElement>(`.react-flow__node[data-id="${id}"], [data-outline="${id}"]`)?.focus();
      }}
      aria-label={t("inspector.title", { title: node.name ?? id })}
      className="flex h-full min-h-0 flex-col bg-surface"
    >
      <Header id={id} node={node} title={type?.title ?? node.type} />
      {node.disabled ? (
        <p className="mx-3 mb-2 rounded-md bg-raised p-2 text-small">{t("node.disabled.help")}</p>
      ) : null}
      {type?.unavailable ? (
        <p className="mx-3 mb-2 rounded-md border border-failed p-2 text-failed text-small">
          {t("inspector.unavailable", { why: type.unavailable })}
        </p>
      ) : null}
      {general.length > 0 ? (
        <ul className="mx-3 mb-2 flex flex-col gap-1 rounded-md border border-failed p-2 text-small">
          {general.map((problem) => (
            <li key={problem.code + problem.path + problem.message}>
              <Told code={problem.code} message={problem.message} className="text-failed" />
              <Hint problem={problem} />
            </li>
          ))}
        </ul>
      ) : null}
      <Tabs
        label={t("inspector.tabs")}
        tabs={[
          ["parameters", t("inspector.parameters")],
          ["settings", t("inspector.settings")],
          ["docs", t("inspector.docs")],
        ]}
        selected={tab}
        onSelect={setTab}
      >
        <div className="p-3">
          {tab === "parameters" ? (
            <Panes id={id} takesInput={type === undefined || type.inputs.length > 0}>
              {type && type.auth.length > 0 ? (
                <ConnectionPicker
                  key={`connection ${id}`}
                  id={id}
                  types={type.auth}
                  project={project}
                  mayCreate={mayManage}
                  error={connectionProblem && inWords(connectionProblem)}
                />
              ) : null}
              {type ? (
                <Parameters key={id} node={node} schema={type.configSchema} form={form} />
              ) : (
                <p className="text-soft">{t("inspector.unknownType", { type: node.type })}</p>
              )}
            </Panes>
          ) : null}
          {tab === "settings" ? (
            <NodeSettings key={id} id={id} node={node} type={type} form={form} problems={own} />
          ) : null}
          {tab === "docs" ? <Markdown text={type?.docs ?? ""} /> : null}
        </div>
      </Tabs>
    </section>
  );
}

/**
 * Parameters with what arrives and what the node gives: all three side by side where there is room, else the data in a
 * column of its own, else one below the other. In columns the data stays in sight while a long form is scrolled, so
 * that it can be dragged into any field.
 */
function Panes({ id, takesInput, children }: { id: string; takesInput: boolean; children: ReactNode }) {
  const t = useT();
  const columns = takesInput ? "@2xl:grid-cols-[minmax(0,1fr)_minmax(0,1.3fr)_minmax(0,1fr)]" : "";
  const together = "@lg:sticky @lg:top-3 @lg:-m-1 @lg:max-h-[76vh] @lg:self-start @lg:overflow-auto @lg:p-1";
  const apart = "@2xl:sticky @2xl:top-3 @2xl:-m-1 @2xl:max-h-[76vh] @2xl:self-start @2xl:overflow-auto @2xl:p-1";
  const pane = `min-w-0 border-line @max-lg:border-t @max-lg:pt-3 ${apart}`;
  return (
    <div className="@container">
      <div className={`flex flex-col gap-4 @lg:grid @lg:grid-cols-[minmax(0,1.2fr)_minmax(0,1fr)] ${columns}`}>
        <div className="min-w-0 @2xl:order-2">{children}</div>
        {/* Where all three have a column of their own, this one is no box. */}
        <div className={`flex flex-col gap-4 @2xl:contents ${together}`}>
          {takesInput ? (
            <section aria-label={t("data.arrives")} className={`${pane} @2xl:order-1`}>
              <h3 className="mb-2 font-semibold">{t("data.arrives")}</h3>
              <Arriving key={id} id={id} />
            </section>
          ) : null}
          <section aria-label={t("data.gives")} className={`${pane} @2xl:order-3`}>
            <h3 className="mb-2 font-semibold">{t("data.gives")}</h3>
            <Giving key={id} id={id} />
          </section>
        </div>
      </div>
    </div>
  );
}

function Parameters({ node, schema, form }: { node: FlowNode; schema: Json; form: FormContext }) {
  const t = useT();
  const fields = typeof schema === "object" && schema !== null && "properties" in schema ? schema.properties : {};
  if (Object.keys((fields ?? {}) as object).length === 0)
    return <p className="text-soft">{t("inspector.noParameters")}</p>;
  return <SchemaForm schema={schema} value={node.config ?? {}} path="" form={form} />;
}

function Header({ id, node, title }: { id: string; node: FlowNode; title: string }) {
  const store = useCanvasStore();
  const readOnly = useCanvas((state) => state.readOnly);
  const t = useT();
  const [key, setKey] = useState(id);
  const name = useRef<HTMLDivElement>(null);
  useEffect(() => setKey(id), [id]);
  const { apply, inspect } = store.getState();
  const refusal = renameRefusal(store.getState().document, id, key);
  const rename = () => {
    if (key === id || refusal) return setKey(id);
    apply(t("did.rename"), (document) => renameNode(document, id, key));
    inspect(key);
    store.getState().select([key]);
  };
  return (
    <header className="flex flex-col gap-2 p-3" ref={name}>
      <div className="flex items-center justify-between gap-2">
        <h2 className="truncate font-semibold text-section">{title}</h2>
        <div className="flex">
          {readOnly || !mayBeDisabled(store.getState().document, id, store.getState().catalog) ? null : (
            <IconButton
              label={t(node.disabled ? "node.enable" : "node.disable")}
              aria-pressed={node.disabled ?? false}
              onClick={() =>
                apply(t(node.disabled ? "did.enable" : "did.disable"), (document) =>
                  setDisabled(document, [id], !node.disabled),
                )
              }
            >
              <CirclePower size={16} aria-hidden />
            </IconButton>
          )}
          {readOnly ? null : (
            <IconButton
              label={t("action.deleteNode")}
              onClick={() => apply(t("did.delete"), (document) => removeNodes(document, [id]))}
            >
              <Trash2 size={16} aria-hidden />
            </IconButton>
          )}
          <IconButton label={t("action.closePanel")} onClick={() => inspect(null)}>
            <X size={16} aria-hidden />
          </IconButton>
        </div>
      </div>
      <div className="grid grid-cols-2 gap-2">
        <TextField
          label={t("inspector.name")}
          value={node.name ?? ""}
          placeholder={id}
          readOnly={readOnly}
          onChange={(text) =>
            apply(t("did.rename"), (document) => setNode(document, id, { name: text || undefined }), `name ${id}`)
          }
        />
        <TextField
          label={t("inspector.key")}
          value={key}
          readOnly={readOnly}
          error={key !== id && refusal ? t(`inspector.key.${refusal}`) : undefined}
          className="font-mono"
          onChange={setKey}
          onBlur={rename}
          onKeyDown={(event) => {
            if (event.key === "Enter") rename();
          }}
        />
      </div>
      {key !== id && !refusal ? <Button onClick={rename}>{t("inspector.renameKey", { key })}</Button> : null}
    </header>
  );
}
