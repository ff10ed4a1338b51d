import { ArrowUp, Plus, Trash2 } from "lucide-react";
import { useCallback, useRef, useState } from "react";
import { EXPRESSION } from "@/data/drag";
import { useT } from "@/i18n";
import { Button, IconButton } from "@/ui/Button";
import { inputLook, Select, TextField } from "@/ui/Field";
import { inline } from "@/ui/inline";
import { isObject, type Json, type JsonObject, pointer, same } from "../../model/json";
import { ScriptField } from "../code/ScriptField";
import { CodeField } from "../expression/CodeField";
import type { Check, Checked } from "../expression/check";
import type { Scope } from "../expression/types";
import { defaultText, fieldNames, kindOf, newItem, parseValue } from "./kind";

/** What every field of a form gets. */
export interface FormContext {
  scope: () => Scope;
  /** Asks the server about an expression at a place. */
  check: Check;
  /** Sets what a JSON pointer names; `undefined` takes it away. */
  set: (path: string, value: Json | undefined) => void;
  /** What is wrong at exactly this place. */
  errorAt: (path: string) => string | undefined;
  readOnly: boolean;
}

interface FieldsProps {
  schema: Json;
  value: JsonObject;
  path: string;
  form: FormContext;
}

/** The fields of an object, those that must be filled in first. */
export function SchemaForm({ schema, value, path, form }: FieldsProps) {
  const properties = isObject(schema) && isObject(schema.properties) ? schema.properties : {};
  const { names, required } = fieldNames(schema);
  return (
    <div className="flex flex-col gap-4">
      {names.map((name) => {
        const field = properties[name];
        return (
          <SchemaField
            key={name}
            name={name}
            schema={isObject(field) ? field : {}}
            value={value[name]}
            path={path + pointer(name)}
            required={required.includes(name)}
            form={form}
          />
        );
      })}
    </div>
  );
}

interface FieldProps {
  name: string;
  schema: JsonObject;
  value: Json | undefined;
  path: string;
  required: boolean;
  form: FormContext;
}

function SchemaField({ name, schema, value, path, required, form }: FieldProps) {
  const t = useT();
  const label = typeof schema.title === "string" ? schema.title : name;
  const help = typeof schema.description === "string" ? schema.description : undefined;
  const error = form.errorAt(path);
  const natural = kindOf(schema, value, required);
  // Who empties a text goes on typing: the field must not turn into another one under the cursor.
  const before = useRef(natural);
  const typing = useRef(false);
  const kind =
    value === undefined && before.current === "text" && natural === "json"
      ? "text"
      : before.current === "json" && natural === "text" && typing.current
        ? "json"
        : natural;
  before.current = kind;
  const fallback = defaultText(schema);
  const empty = fallback === undefined ? t("form.empty") : t("form.default", { value: fallback });
  const set = (next: Json | undefined) => form.set(path, next);
  const byExpression =
    kind !== "text" && kind !== "script" && kind !== "map" && kind !== "list" && !form.readOnly ? (
      <Button
        look="quiet"
        className="h-6 px-1.5 font-mono text-small"
        aria-label={t("form.expressionFor", { field: label })}
        onClick={() => {
          typing.current = false;
          set(kind === "json" ? "{{ input }}" : "{{  }}");
        }}
      >
        {"{{ }}"}
      </Button>
    ) : null;
  const common = { label, help, error, required, readOnly: form.readOnly };
  const check = useCheckAt(form, path);

  if (kind === "choice" || kind === "boolean") {
    const values = kind === "boolean" ? [true, false] : (schema.enum as Json[]);
    const selected = value === undefined ? "" : JSON.stringify(value);
    const options = [["", empty] as const, ...values.map((one) => [JSON.stringify(one), String(one)] as const)];
    return (
      <Dropping onDrop={set} readOnly={form.readOnly}>
        <div className="flex-1">
          <Select
            label={label}
            help={help}
            error={error}
            disabled={form.readOnly}
            value={selected}
            options={options}
            onChange={(text) => set(text === "" ? undefined : (JSON.parse(text) as Json))}
          />
        </div>
        <div className="pt-6">{byExpression}</div>
      </Dropping>
    );
  }
  if (kind === "number") {
    return (
      <Dropping onDrop={set} readOnly={form.readOnly}>
        <div className="flex-1">
          <TextField
            {...common}
            type="number"
            placeholder={empty}
            value={typeof value === "number" ? value : ""}
            onChange={(text) => set(text === "" || Number.isNaN(Number(text)) ? undefined : Number(text))}
          />
        </div>
        <div className="pt-6">{byExpression}</div>
      </Dropping>
    );
  }
  if (kind === "script")
    return (
      <ScriptField
        {...common}
        scope={form.scope}
        types={typeof schema["x-types"] === "string" ? schema["x-types"] : ""}
        value={typeof value === "string" ? value : ""}
        onChange={(text) => set(text === "" ? undefined : text)}
      />
    );
  if (kind === "object") return <ObjectField {...{ schema, value, path, form, label, help }} />;
  if (kind === "map") return <MapField {...{ value, path, form, label, help, error }} />;
  if (kind === "list") return <ListField {...{ schema, value, path, form, label, help, error }} />;
  if (kind === "json")
    return (
      <JsonField
        {...common}
        value={value}
        onChange={(next) => {
          typing.current = true;
          set(next);
        }}
        scope={form.scope}
        check={check}
        action={byExpression}
      />
    );
  return (
    <CodeField
      {...common}
      scope={form.scope}
      check={check}
      placeholder={empty}
      value={typeof value === "string" ? value : ""}
      onChange={(text) => set(text === "" ? undefined : constant(schema, text))}
    />
  );
}

/** A field for a constant that becomes an expression when one is dragged there. */
function Dropping({
  onDrop,
  readOnly,
  children,
}: {
  onDrop: (written: string) => void;
  readOnly: boolean;
  children: React.ReactNode;
}) {
  const [over, setOver] = useState(false);
  const takes = (event: React.DragEvent) => !readOnly && event.dataTransfer.types.includes(EXPRESSION);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the same is done by keyboard with the button beside the field
    <div
      className={`flex items-start gap-1 rounded-md ${over ? "outline-2 outline-accent outline-offset-2" : ""}`}
      onDragOver={(event) => {
        if (!takes(event)) return;
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        setOver(false);
        if (!takes(event)) return;
        event.preventDefault();
        onDrop(event.dataTransfer.getData(EXPRESSION));
      }}
    >
      {children}
    </div>
  );
}

/** What is typed where a boolean is wanted is one as soon as it reads like one. */
function constant(schema: JsonObject, text: string): Json {
  return schema.type === "boolean" && (text === "true" || text === "false") ? text === "true" : text;
}

interface GroupProps {
  value: Json | undefined;
  path: string;
  form: FormContext;
  label: string;
  help: string | undefined;
}

function ObjectField({ schema, value, path, form, label, help }: GroupProps & { schema: JsonObject }) {
  const t = useT();
  if (value === undefined) {
    return (
      <div className="flex items-center justify-between gap-2">
        <div>
          <p className="font-medium">{label}</p>
          {help ? <p className="text-small text-soft">{inline(help)}</p> : null}
        </div>
        <Button
          disabled={form.readOnly}
          aria-label={t("form.setField", { field: label })}
          onClick={() => form.set(path, {})}
        >
          {t("action.set")}
        </Button>
      </div>
    );
  }
  return (
    <fieldset className="rounded-md border border-line p-3">
      <legend className="px-1 font-medium">{label}</legend>
      <SchemaForm schema={schema} value={isObject(value) ? value : {}} path={path} form={form} />
      <Button
        look="quiet"
        className="mt-3"
        disabled={form.readOnly}
        aria-label={t("form.removeField", { field: label })}
        onClick={() => form.set(path, undefined)}
      >
        {t("action.remove")}
      </Button>
    </fieldset>
  );
}

/** Names and values that the author chooses. */
export function MapField({ value, path, form, label, help, error }: GroupProps & { error: string | undefined }) {
  const t = useT();
  const [name, setName] = useState("");
  const entries = Object.entries(isObject(value) ? value : {});
  const taken = entries.some(([one]) => one === name);
  return (
    <fieldset className="rounded-md border border-line p-3">
      <legend className="px-1 font-medium">{label}</legend>
      {help ? <p className="mb-2 text-small text-soft">{inline(help)}</p> : null}
      {error ? <p className="mb-2 text-failed text-small">{error}</p> : null}
      <div className="flex flex-col gap-3">
        {entries.map(([key, item]) => (
          <div key={key} className="flex items-start gap-1">
            <div className="min-w-0 flex-1">
              <MapEntry name={key} value={item} path={path + pointer(key)} form={form} />
            </div>
            <IconButton
              label={t("form.removeField", { field: key })}
              disabled={form.readOnly}
              onClick={() => form.set(path + pointer(key), undefined)}
            >
              <Trash2 size={14} aria-hidden />
            </IconButton>
          </div>
        ))}
        <form
          className="flex gap-2"
          onSubmit={(event) => {
            event.preventDefault();
            if (name === "" || taken) return;
            form.set(path + pointer(name), "");
            setName("");
          }}
        >
          <input
            aria-label={t("form.newName", { field: label })}
            placeholder={t("form.name")}
            value={name}
            readOnly={form.readOnly}
            onChange={(event) => setName(event.target.value)}
            onKeyDown={(event) => event.stopPropagation()}
            className={`${inputLook} h-8`}
          />
          <Button type="submit" disabled={form.readOnly || name === "" || taken} icon={<Plus size={14} aria-hidden />}>
            {t("action.add")}
          </Button>
        </form>
      </div>
    </fieldset>
  );
}

/** Entries in an order, each with its own fields. */
function ListField(props: GroupProps & { schema: JsonObject; error: string | undefined }) {
  const { schema, value, path, form, label, help, error } = props;
  const t = useT();
  const of = isObject(schema.items) ? schema.items : {};
  const items = Array.isArray(value) ? value : [];
  const swap = (index: number) => {
    const next = [...items];
    next.splice(index - 1, 2, items[index] ?? null, items[index - 1] ?? null);
    form.set(path, next);
  };
  return (
    <fieldset className="rounded-md border border-line p-3">
      <legend className="px-1 font-medium">{label}</legend>
      {help ? <p className="mb-2 text-small text-soft">{inline(help)}</p> : null}
      {error ? <p className="mb-2 text-failed text-small">{error}</p> : null}
      <ol className="flex flex-col gap-3">
        {items.map((item, index) => {
          const name = t("form.entry", { field: label, number: index + 1 });
          const at = `${path}/${index}`;
          return (
            // biome-ignore lint/suspicious/noArrayIndexKey: entries have no name but their place
            <li key={index} className="flex items-start gap-1">
              <div className="min-w-0 flex-1">
                {of.type === "object" ? (
                  <section aria-label={name} className="rounded-md border border-line bg-page p-2.5">
                    <SchemaForm schema={of} value={isObject(item) ? item : {}} path={at} form={form} />
                  </section>
                ) : (
                  <SchemaField
                    name={name}
                    schema={{ ...of, title: name }}
                    value={item}
                    path={at}
                    required
                    form={form}
                  />
                )}
              </div>
              <div className={of.type === "object" ? "flex flex-col" : "flex flex-col pt-6"}>
                <IconButton
                  label={t("form.removeField", { field: name })}
                  disabled={form.readOnly}
                  onClick={() => form.set(path, items.length > 1 ? items.filter((_, one) => one !== index) : undefined)}
                >
                  <Trash2 size={14} aria-hidden />
                </IconButton>
                {index > 0 ? (
                  <IconButton
                    label={t("form.moveUp", { field: name })}
                    disabled={form.readOnly}
                    onClick={() => swap(index)}
                  >
                    <ArrowUp size={14} aria-hidden />
                  </IconButton>
                ) : null}
              </div>
            </li>
          );
        })}
      </ol>
      <div className={`flex gap-1.5 ${items.length > 0 ? "mt-3" : ""}`}>
        <Button
          disabled={form.readOnly}
          icon={<Plus size={14} aria-hidden />}
          aria-label={t("form.addTo", { field: label })}
          onClick={() => form.set(path, [...items, newItem(of)])}
        >
          {t("action.add")}
        </Button>
        {items.length === 0 && !form.readOnly ? (
          <Button
            look="quiet"
            className="font-mono text-small"
            aria-label={t("form.expressionFor", { field: label })}
            onClick={() => form.set(path, "{{ input }}")}
          >
            {"{{ }}"}
          </Button>
        ) : null}
      </div>
    </fieldset>
  );
}

/** What asks about expressions of one field, the same as long as the field is. */
function useCheckAt(form: FormContext, path: string) {
  const { check } = form;
  return useCallback(
    (expression: string, cursor?: number) => check(`/config${path}`, expression, cursor),
    [check, path],
  );
}

function MapEntry({ name, value, path, form }: { name: string; value: Json; path: string; form: FormContext }) {
  const common = { label: name, scope: form.scope, readOnly: form.readOnly, error: form.errorAt(path) };
  const check = useCheckAt(form, path);
  return typeof value === "string" ? (
    <CodeField {...common} check={check} value={value} onChange={(text) => form.set(path, text)} />
  ) : (
    <JsonField {...common} check={check} value={value} onChange={(next) => form.set(path, next ?? null)} />
  );
}

interface JsonFieldProps {
  label: string;
  value: Json | undefined;
  onChange: (value: Json | undefined) => void;
  scope: () => Scope;
  check?: ((expression: string, cursor?: number) => Promise<Checked | undefined>) | undefined;
  help?: string | undefined;
  error?: string | undefined;
  required?: boolean;
  readOnly?: boolean;
  action?: React.ReactNode;
}

/** Any JSON, or one expression for all of it. While what is typed is neither, the document keeps what it had. */
export function JsonField({ value, onChange, error, ...rest }: JsonFieldProps) {
  const t = useT();
  const [draft, setDraft] = useState<string>();
  // What was typed stays as it was typed, until the value becomes another one from elsewhere, such as by undo.
  const typed = draft === undefined ? undefined : parseValue(draft);
  const keep = draft !== undefined && typed !== undefined && (!typed.ok || same(typed.value, value));
  const text = keep ? draft : value === undefined ? "" : JSON.stringify(value, null, 2);
  const read = parseValue(text);
  return (
    <CodeField
      {...rest}
      language="json"
      value={text}
      error={read.ok ? error : t("form.notJson", { message: read.message })}
      onChange={(next) => {
        const parsed = parseValue(next);
        setDraft(next);
        if (parsed.ok) onChange(parsed.value);
      }}
    />
  );
}
