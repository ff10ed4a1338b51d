import { useState } from "react";
import { useMutation } from "urql";
import { messageOf, refusalOf } from "@/api/errors";
import { useT } from "@/i18n";
import { Button } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { Select } from "@/ui/Field";
import { DeployMutation } from "./queries";

interface Props {
  version: { id: string; number: number };
  environments: readonly { name: string; title: string }[];
  deployments: readonly { environment: string; version: { id: string; number: number } }[];
  onDone: (environment: string) => void;
  onClose: () => void;
}

/** Lets an environment run a version from now on: rolling back and promoting are the same. */
export function DeployDialog({ version, environments, deployments, onDone, onClose }: Props) {
  const t = useT();
  const [environment, setEnvironment] = useState(environments[0]?.name ?? "default");
  const [refused, setRefused] = useState<string>();
  const [result, deploy] = useMutation(DeployMutation);
  const now = deployments.find((one) => one.environment === environment)?.version;
  const go = async () => {
    const expected = now ? { expectedVersionId: now.id } : {};
    const answer = await deploy({ input: { versionId: version.id, environment, ...expected } });
    if (answer.error) return setRefused(messageOf(answer.error));
    const payload = answer.data?.deployVersion;
    if (payload?.deployment) return onDone(environment);
    setRefused(refusalOf(payload?.userErrors));
  };
  return (
    <Dialog
      title={t("deploy.title", { number: version.number })}
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>{t("action.cancel")}</Button>
          <Button look="primary" disabled={result.fetching || now?.id === version.id} onClick={() => void go()}>
            {t("deploy.go", { number: version.number })}
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-4">
        <Select
          label={t("environment")}
          value={environment}
          options={environments.map(({ name, title }) => [name, title === name ? name : `${title} (${name})`] as const)}
          onChange={setEnvironment}
        />
        <p className="text-soft">
          {now === undefined
            ? t("deploy.none", { environment })
            : now.id === version.id
              ? t("deploy.already", { environment, number: now.number })
              : now.number > version.number
                ? t("deploy.back", { environment, number: now.number })
                : t("deploy.forward", { environment, number: now.number })}
        </p>
        {refused ? (
          <p role="alert" className="text-failed">
            {refused}
          </p>
        ) : null}
      </div>
    </Dialog>
  );
}
