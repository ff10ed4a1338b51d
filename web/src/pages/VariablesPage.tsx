import { Plus, Trash2 } from "lucide-react";
import { type FormEvent, useState } from "react";
import { useSearchParams } from "react-router";
import { useMutation, useQuery } from "urql";
import { messageOf, refusalOf } from "@/api/errors";
import { useWorkspaceEvents } from "@/api/follow";
import { mayEdit as roleMayEdit } from "@/app/role";
import { parse } from "@/canvas/inspector/schemaForm/kind";
import { graphql } from "@/gql";
import { useT } from "@/i18n";
import { Button, IconButton } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { Empty, Failure } from "@/ui/Empty";
import { Select, TextArea, TextField } from "@/ui/Field";
import { Time } from "@/ui/time";
import { useToasts } from "@/ui/toast";

const VariablesQuery = graphql(`
  query Variables($project: String!, $environment: String!, $after: String) {
    variables(project: $project, environment: $environment, first: 100, after: $after) {
      nodes { id name value updatedAt }
      pageInfo { hasNextPage endCursor }
    }
    projects(first: 100) { nodes { id slug title environments { id name title } } }
    viewer { role }
  }
`);

const CreateVariableMutation = graphql(`
  mutation CreateVariable($input: CreateVariableInput!) {
    createVariable(input: $input) { variable { id name } userErrors { code message field } }
  }
`);

const UpdateVariableMutation = graphql(`
  mutation UpdateVariable($input: UpdateVariableInput!) {
    updateVariable(input: $input) { variable { id name value updatedAt } userErrors { code message field } }
  }
`);

const DeleteVariableMutation = graphql(`
  mutation DeleteVariable($input: DeleteVariableInput!) {
    deleteVariable(input: $input) { variable { id } userErrors { code message field } }
  }
`);

interface Variable {
  id: string;
  name: string;
  value: unknown;
}

/** Plain values that expressions read as `vars.<name>`, for each environment of a project. */
export default function VariablesPage() {
  const t = useT();
  const toast = useToasts((toasts) => toasts.show);
  const [params, setParams] = useSearchParams();
  const project = params.get("project") ?? "default";
  const environment = params.get("environment") ?? "default";
  const [{ data, error, fetching }, ask] = useQuery({
    query: VariablesQuery,
    variables: { project, environment, after: params.get("after") },
    requestPolicy: "cache-and-network",
  });
  const [changing, setChanging] = useState<Variable | "new">();
  const [, remove] = useMutation(DeleteVariableMutation);
  const [, create] = useMutation(CreateVariableMutation);
  const again = () => ask({ requestPolicy: "network-only" });
  useWorkspaceEvents(["variable.*"], again);
  const list = data?.variables;
  const mayEdit = roleMayEdit(data?.viewer.role);
  const environments = data?.projects.nodes.find(({ slug }) => slug === project)?.environments ?? [];
  const put = (changes: Record<string, string>) => setParams({ project, environment, ...changes });
  const drop = async (variable: Variable) => {
    const answer = await remove({ input: { id: variable.id } });
    if (answer.error) return toast(messageOf(answer.error));
    const errors = answer.data?.deleteVariable.userErrors ?? [];
    if (errors.length > 0) return toast(refusalOf(errors));
    again();
    toast(t("variables.deleted", { name: variable.name }), {
      label: t("key.undo"),
      run: () =>
        void create({ input: { project, environment, name: variable.name, value: variable.value } }).then(again),
    });
  };
  const add = mayEdit ? (
    <Button look="primary" icon={<Plus size={14} aria-hidden />} onClick={() => setChanging("new")}>
      {t("variables.new")}
    </Button>
  ) : null;
  return (
    <div className="mx-auto max-w-5xl p-4">
      <header className="mb-3 flex flex-wrap items-end gap-3 max-sm:gap-2">
        <div className="mr-auto min-w-0 flex-1 basis-60">
          <h1 className="font-semibold text-title">{t("nav.variables")}</h1>
          <p className="text-soft">{t("variables.about")}</p>
        </div>
        <div className="w-40">
          <Select
            label={t("project")}
            value={project}
            options={(data?.projects.nodes ?? []).map(({ slug, title }) => [slug, title] as const)}
            onChange={(slug) => put({ project: slug, environment: "default" })}
          />
        </div>
        <div className="w-40">
          <Select
            label={t("environment")}
            value={environment}
            options={environments.map(({ name, title }) => [name, title] as const)}
            onChange={(name) => put({ environment: name })}
          />
        </div>
        {list && list.nodes.length > 0 ? add : null}
      </header>
      {error && !list ? <Failure error={error} onRetry={again} /> : null}
      {fetching && !list ? (
        <p role="status" className="p-4 text-soft">
          {t("loading")}
        </p>
      ) : null}
      {list && list.nodes.length === 0 ? (
        <Empty title={t("variables.empty")} action={add}>
          {t("variables.empty.help")}
        </Empty>
      ) : null}
      {list && list.nodes.length > 0 ? (
        <div className="overflow-x-auto rounded-lg border border-line bg-surface">
          <table className="w-full text-left">
            <thead className="text-small text-soft">
              <tr className="border-line border-b">
                <th className="px-3 py-2 font-medium">{t("workflows.name")}</th>
                <th className="px-3 py-2 font-medium">{t("variables.value")}</th>
                <th className="px-3 py-2 font-medium">{t("workflows.changed")}</th>
                <th className="px-3 py-2">
                  <span className="sr-only">{t("variables.actions")}</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {list.nodes.map((variable) => (
                <tr key={variable.id} className="h-11 border-line border-b last:border-0 hover:bg-raised">
                  <td className="px-3 py-1 font-mono">vars.{variable.name}</td>
                  <td className="max-w-96 truncate px-3 py-1 font-mono text-small">{JSON.stringify(variable.value)}</td>
                  <td className="px-3 py-1 text-soft">
                    <Time at={variable.updatedAt} />
                  </td>
                  <td className="whitespace-nowrap px-3 py-1 text-right">
                    {mayEdit ? (
                      <>
                        <Button
                          aria-label={t("variables.change", { name: variable.name })}
                          onClick={() => setChanging(variable)}
                        >
                          {t("action.change")}
                        </Button>
                        <IconButton
                          label={t("variables.delete", { name: variable.name })}
                          onClick={() => void drop(variable)}
                        >
                          <Trash2 size={16} aria-hidden />
                        </IconButton>
                      </>
                    ) : null}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      ) : null}
      {list?.pageInfo.hasNextPage ? (
        <Button className="mt-3" onClick={() => put({ after: list.pageInfo.endCursor ?? "" })}>
          {t("action.nextPage")}
        </Button>
      ) : null}
      {changing ? (
        <VariableDialog
          known={changing === "new" ? undefined : changing}
          project={project}
          environment={environment}
          onClose={() => setChanging(undefined)}
          onDone={() => {
            setChanging(undefined);
            again();
          }}
        />
      ) : null}
    </div>
  );
}

interface DialogProps {
  known: Variable | undefined;
  project: string;
  environment: string;
  onDone: () => void;
  onClose: () => void;
}

function VariableDialog({ known, project, environment, onDone, onClose }: DialogProps) {
  const t = useT();
  const [name, setName] = useState(known?.name ?? "");
  const [value, setValue] = useState(known ? JSON.stringify(known.value, null, 2) : "");
  const [refused, setRefused] = useState<string>();
  const [, create] = useMutation(CreateVariableMutation);
  const [, update] = useMutation(UpdateVariableMutation);
  const read = parse(value);
  const go = async (event: FormEvent) => {
    event.preventDefault();
    if (!read.ok || read.value === undefined) return;
    const answer = known
      ? await update({ input: { id: known.id, value: read.value } })
      : await create({ input: { project, environment, name, value: read.value } });
    if (answer.error) return setRefused(messageOf(answer.error));
    const payload =
      answer.data && "createVariable" in answer.data ? answer.data.createVariable : answer.data?.updateVariable;
    if (payload?.variable) return onDone();
    setRefused(refusalOf(payload?.userErrors));
  };
  return (
    <Dialog title={known ? t("variables.change", { name: known.name }) : t("variables.new")} onClose={onClose}>
      <form className="flex flex-col gap-4" onSubmit={(event) => void go(event)}>
        {known ? null : (
          <TextField
            label={t("workflows.name")}
            help={t("variables.name.help")}
            required
            className="font-mono"
            value={name}
            onChange={setName}
          />
        )}
        <TextArea
          label={t("variables.value")}
          help={t("variables.value.help")}
          rows={5}
          value={value}
          error={read.ok ? undefined : t("form.notJson", { message: read.message })}
          onChange={setValue}
        />
        {refused ? (
          <p role="alert" className="text-failed">
            {refused}
          </p>
        ) : null}
        <Button type="submit" look="primary" disabled={!read.ok || read.value === undefined || name === ""}>
          {t("connections.save")}
        </Button>
      </form>
    </Dialog>
  );
}
