import { useState } from "react";
import { useNavigate } from "react-router";
import { useMutation } from "urql";
import { messageOf, refusalOf } from "@/api/errors";
import { parse } from "@/canvas/inspector/schemaForm/kind";
import { isObject } from "@/canvas/model/json";
import { fileFields, withoutFields } from "@/files/fields";
import { canBeGiven, given, useUploads } from "@/files/useUploads";
import { useT } from "@/i18n";
import { Button } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { Select, TextArea } from "@/ui/Field";
import { StartRunMutation } from "./queries";
import { RunFiles } from "./RunFiles";
import { sample } from "./sample";

interface Props {
  version: { id: string; number: number; definition: unknown };
  /** The slug of the workflow's project. */
  project: string;
  triggers: readonly { node: string; type: string }[];
  onClose: () => void;
}

/** Starts a run of the published version with an input of one's own, and goes to it. */
export function RunDialog({ version, project, triggers, onClose }: Props) {
  const t = useT();
  const navigate = useNavigate();
  const manual = triggers.filter(({ type }) => type.startsWith("trigger.manual@"));
  const schema = isObject(version.definition) ? version.definition.input_schema : undefined;
  const fields = fileFields(schema);
  const [input, setInput] = useState(() => JSON.stringify(sample(withoutFields(schema, fields)), null, 2));
  const files = useUploads(project);
  const [trigger, setTrigger] = useState(manual[0]?.node ?? "");
  const [refused, setRefused] = useState<string>();
  const [result, start] = useMutation(StartRunMutation);
  const read = parse(input);

  const taken = read.ok && isObject(read.value) ? Object.keys(read.value) : [];
  const isSent = canBeGiven(files.uploads, taken);
  const go = async () => {
    if (!read.ok || !isSent) return;
    const answer = await start({
      input: {
        versionId: version.id,
        trigger,
        input: read.value ?? null,
        ...(files.uploads.length > 0 ? { files: given(files.uploads) } : {}),
      },
    });
    if (answer.error) return setRefused(messageOf(answer.error));
    const payload = answer.data?.startRun;
    if (payload?.run) return void navigate(`/runs/${payload.run.id}`);
    setRefused(refusalOf(payload?.userErrors));
  };

  return (
    <Dialog
      title={t("run.start", { number: version.number })}
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>{t("action.cancel")}</Button>
          <Button
            look="primary"
            disabled={!read.ok || !isSent || result.fetching || manual.length === 0}
            onClick={() => void go()}
          >
            {t("action.startRun")}
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-4">
        {manual.length === 0 ? <p>{t("run.noManualTrigger")}</p> : null}
        {manual.length > 1 ? (
          <Select
            label={t("run.trigger")}
            value={trigger}
            options={manual.map(({ node }) => [node, node])}
            onChange={setTrigger}
          />
        ) : null}
        <TextArea
          label={t("run.input")}
          help={t("run.input.help")}
          rows={fields.length > 0 ? 6 : 10}
          value={input}
          error={read.ok ? undefined : t("form.notJson", { message: read.message })}
          onChange={setInput}
        />
        <RunFiles fields={fields} taken={taken} files={files} />
        {refused ? (
          <p role="alert" className="text-failed">
            {refused}
          </p>
        ) : null}
      </div>
    </Dialog>
  );
}
