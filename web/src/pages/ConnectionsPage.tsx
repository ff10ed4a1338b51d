import type { ResultOf } from "@graphql-typed-document-node/core";
import { CircleCheck, CircleX, Plus } from "lucide-react";
import { useState } from "react";
import { useSearchParams } from "react-router";
import { useMutation, useQuery } from "urql";
import { messageOf, refusalOf } from "@/api/errors";
import { useWorkspaceEvents } from "@/api/follow";
import { mayManage as roleMayManage } from "@/app/role";
import { useSettings } from "@/app/settings";
import { ConnectionDialog, type Known } from "@/connections/ConnectionDialog";
import { DeleteConnection } from "@/connections/DeleteConnection";
import {
  BeginSignInMutation,
  ConnectionsQuery,
  ConnectionTypesQuery,
  TestConnectionMutation,
} from "@/connections/queries";
import { useT } from "@/i18n";
import { Button } from "@/ui/Button";
import { Empty, Failure } from "@/ui/Empty";
import { Time } from "@/ui/time";
import { useToasts } from "@/ui/toast";
import { WorkflowLink } from "@/ui/WorkflowLink";

type Connection = ResultOf<typeof ConnectionsQuery>["connections"]["nodes"][number];

/** Credentials that nodes use by name. Their secrets can be replaced and never be read. */
export default function ConnectionsPage() {
  const t = useT();
  const toast = useToasts((toasts) => toasts.show);
  const locale = useSettings((settings) => settings.language);
  const [params, setParams] = useSearchParams();
  const [{ data: about }] = useQuery({ query: ConnectionTypesQuery, variables: { locale } });
  const [{ data, error, fetching }, ask] = useQuery({
    query: ConnectionsQuery,
    variables: { after: params.get("after"), filter: null },
    requestPolicy: "cache-and-network",
  });
  const [changing, setChanging] = useState<Known | "new">();
  const [deleting, setDeleting] = useState<Connection>();
  const [, test] = useMutation(TestConnectionMutation);
  const [, begin] = useMutation(BeginSignInMutation);
  const mayManage = roleMayManage(about?.viewer.role);
  const again = () => ask({ requestPolicy: "network-only" });
  useWorkspaceEvents(["connection.*"], again);
  const list = data?.connections;
  const title = (type: string) => about?.connectionTypes.find(({ name }) => name === type)?.title ?? type;
  const create = mayManage ? (
    <Button look="primary" icon={<Plus size={14} aria-hidden />} onClick={() => setChanging("new")}>
      {t("connections.new")}
    </Button>
  ) : null;
  const tryOut = async (connection: Connection) => {
    const answer = await test({ input: { id: connection.id } });
    if (answer.error) return toast(messageOf(answer.error));
    const payload = answer.data?.testConnection;
    toast(payload?.test ? `${connection.name}: ${payload.test.message}` : refusalOf(payload?.userErrors));
    again();
  };
  const signIn = async (connection: Connection) => {
    const answer = await begin({ input: { id: connection.id, redirectUri: `${location.origin}/oauth/callback` } });
    if (answer.error) return toast(messageOf(answer.error));
    const payload = answer.data?.beginConnectionSignIn;
    // The service asks the person there, and sends them back to us.
    if (payload?.url) location.assign(payload.url);
    else toast(refusalOf(payload?.userErrors));
  };
  return (
    <div className="mx-auto max-w-5xl p-4">
      <header className="mb-3 flex items-center justify-between">
        <div>
          <h1 className="font-semibold text-title">{t("nav.connections")}</h1>
          <p className="text-soft">{t("connections.about")}</p>
        </div>
        {list && list.nodes.length > 0 ? create : null}
      </header>
      {error && !list ? <Failure error={error} onRetry={again} /> : null}
      {fetching && !list ? (
        <p role="status" className="p-4 text-soft">
          {t("loading")}
        </p>
      ) : null}
      {list && list.nodes.length === 0 ? (
        <Empty title={t("connections.empty")} action={create}>
          {t(mayManage ? "connections.empty.help" : "connections.needsAdmin")}
        </Empty>
      ) : null}
      {list && list.nodes.length > 0 ? (
        <ul className="flex flex-col gap-2">
          {list.nodes.map((connection) => (
            <li
              key={connection.id}
              aria-label={connection.name}
              className="flex flex-wrap items-center gap-x-4 gap-y-2 rounded-lg border border-line bg-surface p-3"
            >
              <div className="min-w-48 flex-1">
                <p className="font-medium font-mono">{connection.name}</p>
                <p className="text-small text-soft">
                  {title(connection.type)} · {connection.project} / {connection.environment}
                </p>
                {connection.usedBy.length > 0 ? (
                  <p className="text-small text-soft">
                    {t("connections.usedBy")}{" "}
                    {connection.usedBy.map((workflow, index) => (
                      <span key={workflow.id}>
                        {index > 0 ? ", " : ""}
                        <WorkflowLink workflow={workflow} />
                      </span>
                    ))}
                  </p>
                ) : null}
              </div>
              <div className="text-small">
                {connection.lastTest ? (
                  <p className="flex items-center gap-1.5" title={connection.lastTest.message}>
                    {connection.lastTest.passed ? (
                      <CircleCheck size={14} className="text-succeeded" aria-hidden />
                    ) : (
                      <CircleX size={14} className="text-failed" aria-hidden />
                    )}
                    {t(connection.lastTest.passed ? "connections.passed" : "connections.failed")}{" "}
                    <Time at={connection.lastTest.at} />
                  </p>
                ) : (
                  <p className="text-soft">{t("connections.untested")}</p>
                )}
                {connection.isSignedIn === false ? (
                  <p className="text-waiting">{t("connections.notSignedIn")}</p>
                ) : null}
                <p className="text-soft">{t("connections.secrets", { names: connection.secretFields.join(", ") })}</p>
              </div>
              <div className="flex gap-1.5">
                <Button
                  onClick={() => void tryOut(connection)}
                  aria-label={t("connections.testOne", { name: connection.name })}
                >
                  {t("connections.test")}
                </Button>
                {mayManage && connection.isSignedIn !== null ? (
                  <Button
                    look={connection.isSignedIn ? "plain" : "primary"}
                    onClick={() => void signIn(connection)}
                    aria-label={t("connections.signInOne", { name: connection.name })}
                  >
                    {t(connection.isSignedIn ? "connections.signInAgain" : "connections.signIn")}
                  </Button>
                ) : null}
                {mayManage ? (
                  <>
                    <Button
                      onClick={() => setChanging(connection)}
                      aria-label={t("connections.change", { name: connection.name })}
                    >
                      {t("action.change")}
                    </Button>
                    <Button
                      look="danger"
                      onClick={() => setDeleting(connection)}
                      aria-label={t("connections.delete", { name: connection.name })}
                    >
                      {t("action.delete")}
                    </Button>
                  </>
                ) : null}
              </div>
            </li>
          ))}
        </ul>
      ) : null}
      {list?.pageInfo.hasNextPage ? (
        <Button className="mt-3" onClick={() => setParams({ after: list.pageInfo.endCursor ?? "" })}>
          {t("action.nextPage")}
        </Button>
      ) : null}
      {changing ? (
        <ConnectionDialog
          known={changing === "new" ? undefined : changing}
          onClose={() => setChanging(undefined)}
          onDone={(name) => {
            setChanging(undefined);
            toast(t("connections.saved", { name }));
            again();
          }}
        />
      ) : null}
      {deleting ? (
        <DeleteConnection
          connection={deleting}
          onClose={() => setDeleting(undefined)}
          onDone={() => {
            setDeleting(undefined);
            again();
          }}
        />
      ) : null}
    </div>
  );
}
