import { type FormEvent, useMemo, useState } from "react";
import { useMutation, useQuery } from "urql";
import { inWords, messageOf, refusalOf } from "@/api/errors";
import { useSettings } from "@/app/settings";
import type { Json } from "@/canvas/model/json";
import { useT } from "@/i18n";
import { Button } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { Select, TextArea, TextField } from "@/ui/Field";
import { asSent, asTyped, type ConnectionField, fieldsOf } from "./fields";
import { ConnectionTypesQuery, CreateConnectionMutation, UpdateConnectionMutation } from "./queries";

/** A connection that is there already. */
export interface Known {
  id: string;
  name: string;
  type: string;
  project: string;
  environment: string;
  revision: number;
  fields: unknown;
  secretFields: readonly string[];
}

interface Props {
  /** The connection that is changed; a new one without. */
  known?: Known | undefined;
  /** Only these types can be chosen. */
  types?: readonly string[] | undefined;
  project?: string | undefined;
  onDone: (name: string) => void;
  onClose: () => void;
}

/** Makes a connection, or changes one and replaces its secrets, by the schema of its type. */
export function ConnectionDialog({ known, types, project: given, onDone, onClose }: Props) {
  const t = useT();
  const locale = useSettings((settings) => settings.language);
  const [{ data }] = useQuery({ query: ConnectionTypesQuery, variables: { locale } });
  const choices = (data?.connectionTypes ?? []).filter(({ name }) => !types || types.includes(name));
  const [chosen, setChosen] = useState(known?.type ?? "");
  const type = choices.find(({ name }) => name === chosen) ?? (known ? undefined : choices[0]);
  const fields = useMemo(() => (type ? fieldsOf(type.schema as Json) : []), [type]);
  const [name, setName] = useState(known?.name ?? "");
  const [project, setProject] = useState(known?.project ?? given ?? "default");
  const [environment, setEnvironment] = useState(known?.environment ?? "default");
  const [changed, setChanged] = useState<Record<string, string>>({});
  const typed = { ...asTyped(fields, (known?.fields ?? {}) as Json), ...changed };
  const [errors, setErrors] = useState<readonly { field: string[]; code: string; message: string }[]>([]);
  const [refused, setRefused] = useState<string>();
  const [creating, create] = useMutation(CreateConnectionMutation);
  const [updating, update] = useMutation(UpdateConnectionMutation);
  const projects = data?.projects.nodes ?? [];
  const environments = projects.find(({ slug }) => slug === project)?.environments ?? [];
  const errorOf = (field: string) => {
    const error = errors.find((one) => one.field.at(-1) === field);
    return error && inWords(error);
  };
  const named = ["name", "project", "environment", ...fields.map((field) => field.name)];
  const others = errors.filter(({ field }) => !named.includes(field.at(-1) ?? ""));
  const missing = fields.some(
    (field) => field.required && !typed[field.name] && !(field.secret && known?.secretFields.includes(field.name)),
  );

  const go = async (event: FormEvent) => {
    event.preventDefault();
    if (!type) return;
    const sent = asSent(fields, typed);
    const answer = known
      ? await update({ input: { id: known.id, expectedRevision: known.revision, ...sent } })
      : await create({ input: { name, project, environment, type: type.name, ...sent } });
    if (answer.error) return setRefused(messageOf(answer.error));
    const payload =
      answer.data && "createConnection" in answer.data ? answer.data.createConnection : answer.data?.updateConnection;
    if (payload?.connection) return onDone(payload.connection.name);
    setRefused(undefined);
    setErrors(payload?.userErrors ?? []);
  };

  return (
    <Dialog title={known ? t("connections.change", { name: known.name }) : t("connections.new")} onClose={onClose}>
      <form className="flex flex-col gap-4" onSubmit={(event) => void go(event)}>
        {known ? null : (
          <>
            <Select
              label={t("connections.type")}
              help={type?.summary}
              value={type?.name ?? ""}
              options={choices.map((choice) => [choice.name, choice.title] as const)}
              onChange={setChosen}
            />
            <TextField
              label={t("workflows.name")}
              help={t("connections.name.help")}
              error={errorOf("name")}
              required
              className="font-mono"
              value={name}
              onChange={setName}
            />
            <div className="grid grid-cols-2 gap-3">
              <Select
                label={t("project")}
                disabled={given !== undefined}
                value={project}
                error={errorOf("project")}
                options={projects.map(({ slug, title }) => [slug, title] as const)}
                onChange={setProject}
              />
              <Select
                label={t("environment")}
                value={environment}
                error={errorOf("environment")}
                options={environments.map((one) => [one.name, one.title] as const)}
                onChange={setEnvironment}
              />
            </div>
          </>
        )}
        {fields.map((field) => (
          <FieldInput
            key={field.name}
            field={field}
            isSet={known?.secretFields.includes(field.name) ?? false}
            value={typed[field.name] ?? ""}
            error={errorOf(field.name)}
            onChange={(text) => setChanged((before) => ({ ...before, [field.name]: text }))}
          />
        ))}
        {refused || others.length > 0 ? (
          <p role="alert" className="text-failed">
            {refused ?? refusalOf(others)}
          </p>
        ) : null}
        <Button
          type="submit"
          look="primary"
          disabled={!type || missing || name === "" || creating.fetching || updating.fetching}
        >
          {known ? t("connections.save") : t("connections.create")}
        </Button>
      </form>
    </Dialog>
  );
}

interface InputProps {
  field: ConnectionField;
  /** A secret that has a value, which nobody can read. */
  isSet: boolean;
  value: string;
  error: string | undefined;
  onChange: (text: string) => void;
}

function FieldInput({ field, isSet, value, error, onChange }: InputProps) {
  const t = useT();
  const help = isSet ? t("connections.keep") : field.help;
  if (field.choices.length > 0) {
    const words = field.choices.filter((word) => word !== field.otherwise);
    const first = field.otherwise ?? t("form.empty");
    const options = [["", first] as const, ...words.map((word) => [word, word] as const)];
    const chosen = value === field.otherwise ? "" : value;
    return (
      <Select label={field.title} help={help} error={error} value={chosen} options={options} onChange={onChange} />
    );
  }
  if (field.lines) {
    return <TextArea label={field.title} help={help} error={error} rows={3} value={value} onChange={onChange} />;
  }
  return (
    <TextField
      label={field.title}
      help={help}
      error={error}
      required={field.required && !isSet}
      type={field.secret ? "password" : "text"}
      autoComplete={field.secret ? "new-password" : "off"}
      placeholder={isSet ? "••••••••" : undefined}
      className="font-mono"
      value={value}
      onChange={onChange}
    />
  );
}
