import { useState } from "react";
import { useMutation } from "urql";
import { messageOf, refusalOf } from "@/api/errors";
import { parse } from "@/canvas/inspector/schemaForm/kind";
import type { NodeRunResolution } from "@/gql/graphql";
import { useT } from "@/i18n";
import { Button } from "@/ui/Button";
import { TextArea } from "@/ui/Field";
import { ResolveMutation } from "./queries";

/** Says how a call ended of which nobody knows whether it happened. */
export function ResolveForm({ id }: { id: string }) {
  const t = useT();
  const [output, setOutput] = useState("{}");
  const [refused, setRefused] = useState<string>();
  const [result, resolve] = useMutation(ResolveMutation);
  const read = parse(output);
  const go = async (resolution: NodeRunResolution) => {
    if (resolution === "SUCCEED" && !read.ok) return;
    const value = resolution === "SUCCEED" && read.ok ? { output: read.value ?? null } : {};
    const answer = await resolve({ input: { nodeRunId: id, resolution, ...value } });
    const errors = answer.data?.resolveNodeRun.userErrors ?? [];
    setRefused(answer.error ? messageOf(answer.error) : refusalOf(errors) || undefined);
  };
  return (
    <div className="flex flex-col gap-2 rounded-md border border-waiting p-3">
      <h3 className="font-semibold">{t("resolve.title")}</h3>
      <p className="text-soft">{t("resolve.help")}</p>
      <TextArea
        label={t("resolve.output")}
        rows={3}
        value={output}
        onChange={setOutput}
        error={read.ok ? refused : t("form.notJson", { message: read.message })}
      />
      <div className="flex flex-wrap gap-2">
        <Button disabled={result.fetching || !read.ok} onClick={() => void go("SUCCEED")}>
          {t("resolve.succeed")}
        </Button>
        <Button disabled={result.fetching} onClick={() => void go("RETRY")}>
          {t("resolve.retry")}
        </Button>
        <Button look="danger" disabled={result.fetching} onClick={() => void go("FAIL")}>
          {t("resolve.fail")}
        </Button>
      </div>
    </div>
  );
}
