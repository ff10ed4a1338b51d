import type { ResultOf } from "@graphql-typed-document-node/core";
import { useMutation } from "urql";
import { messageOf, refusalOf } from "@/api/errors";
import { useT } from "@/i18n";
import { Button } from "@/ui/Button";
import { Time } from "@/ui/time";
import { useToasts } from "@/ui/toast";
import { UndeployMutation, type VersionsQuery } from "./queries";

type Workflow = NonNullable<ResultOf<typeof VersionsQuery>["workflow"]>;

/** What every environment runs now, and what it ran before. */
export function Deployments({
  workflow,
  mayDeploy,
  onChanged,
}: {
  workflow: Workflow;
  mayDeploy: boolean;
  onChanged: () => void;
}) {
  const t = useT();
  const toast = useToasts((toasts) => toasts.show);
  const [, undeploy] = useMutation(UndeployMutation);
  const stop = async (environment: string) => {
    const answer = await undeploy({ input: { workflowId: workflow.id, environment } });
    const errors = answer.data?.undeployWorkflow.userErrors ?? [];
    if (answer.error) return toast(messageOf(answer.error));
    if (errors.length > 0) return toast(refusalOf(errors));
    toast(t("deploy.stopped", { environment }));
    onChanged();
  };
  return (
    <section aria-label={t("deploy.environments")} className="flex flex-col gap-3 border-line border-t p-3">
      <h2 className="font-semibold text-section">{t("deploy.environments")}</h2>
      <ul className="flex flex-col gap-1">
        {workflow.project.environments.map(({ name, title }) => {
          const version = workflow.deployments.find(({ environment }) => environment === name)?.version;
          return (
            <li key={name} className="flex min-h-8 items-center gap-2">
              <span className="min-w-0 flex-1 truncate">{title}</span>
              <span className="text-soft">{version ? `v${version.number}` : t("deploy.nothing")}</span>
              {version && mayDeploy ? (
                <Button look="quiet" className="h-7 px-2 text-small" onClick={() => void stop(name)}>
                  {t("deploy.stop")}
                </Button>
              ) : null}
            </li>
          );
        })}
      </ul>
      {workflow.deploymentChanges.nodes.length > 0 ? (
        <>
          <h3 className="font-semibold">{t("deploy.history")}</h3>
          <ol className="flex flex-col gap-1 text-small">
            {workflow.deploymentChanges.nodes.map((change) => (
              <li key={change.id} className="flex gap-2">
                <span className="flex-1">
                  {change.environment}: {change.previousVersion ? `v${change.previousVersion.number}` : "–"} →{" "}
                  {change.version ? `v${change.version.number}` : t("deploy.nothing")}
                </span>
                <span className="text-soft">
                  <Time at={change.changedAt} />
                </span>
              </li>
            ))}
          </ol>
        </>
      ) : null}
    </section>
  );
}
