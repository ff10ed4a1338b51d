import { useNavigate } from "react-router";
import { useMutation } from "urql";
import { messageOf, refusalOf } from "@/api/errors";
import { useT } from "@/i18n";
import { Button } from "@/ui/Button";
import { useToasts } from "@/ui/toast";
import { RetryMutation } from "./queries";

interface Props {
  runId: string;
  /** The node that is chosen, or the one that failed. */
  from: string | null;
}

/** Does a run again that has ended: from one node on, with the results before it taken over, or as a whole. */
export function RetryButtons({ runId, from }: Props) {
  const t = useT();
  const navigate = useNavigate();
  const toast = useToasts((toasts) => toasts.show);
  const [result, retry] = useMutation(RetryMutation);
  const go = async (fromNode: string | null) => {
    const answer = await retry({ input: { runId, ...(fromNode ? { fromNode } : {}) } });
    const payload = answer.data?.retryRun;
    if (payload?.run) return void navigate(`/runs/${payload.run.id}`);
    toast(answer.error ? messageOf(answer.error) : refusalOf(payload?.userErrors));
  };
  return (
    <>
      {from ? (
        <Button look="primary" disabled={result.fetching} onClick={() => void go(from)}>
          {t("run.retryFrom", { node: from })}
        </Button>
      ) : null}
      <Button disabled={result.fetching} onClick={() => void go(null)}>
        {t("run.retry")}
      </Button>
    </>
  );
}
