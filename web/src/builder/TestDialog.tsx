import { useEffect, useMemo, useState } from "react";
import { useClient, useQuery } from "urql";
import { refusalOf } from "@/api/errors";
import { inputOf, type Part } from "@/canvas/inspector/lastRun";
import { parse } from "@/canvas/inspector/schemaForm/kind";
import { isTrigger } from "@/canvas/model/catalog";
import { type FlowDocument, titleOf } from "@/canvas/model/document";
import { isObject, type Json } from "@/canvas/model/json";
import { pinOf } from "@/canvas/model/pins";
import { useCanvas, useCanvasStore } from "@/canvas/store";
import { type FileField, fileFields, withoutFields } from "@/files/fields";
import { canBeGiven, given, useUploads } from "@/files/useUploads";
import { useT } from "@/i18n";
import { Button } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { Check, Select, TextArea } from "@/ui/Field";
import { Told } from "@/ui/Told";
import { TestPlanQuery } from "./queries";
import { RunFiles } from "./RunFiles";
import { sample } from "./sample";
import { asInput, type Testing, type Wish } from "./useTest";

interface Props {
  workflowId: string;
  /** The slug of the workflow's project. */
  project: string;
  part: Part;
  testing: Testing;
  onClose: () => void;
}

/** What a run of this trigger would get, as a first proposal. */
function proposal(document: FlowDocument, trigger: string): Json {
  const pin = pinOf(document, trigger);
  if (pin) return pin.output;
  const schema = document.definition.input_schema;
  if (!isHook(document, trigger)) return sample(withoutFields(schema, filesOf(document, trigger)));
  const call = { method: "POST", path: "/", query: {} };
  return takesFile(document, trigger)
    ? { ...call, headers: { "content-type": "application/octet-stream" } }
    : { ...call, headers: { "content-type": "application/json" }, body: sample(schema) };
}

function isHook(document: FlowDocument, trigger: string): boolean {
  return document.definition.nodes[trigger]?.type.startsWith("trigger.webhook@") ?? false;
}

/** Whether what comes to this trigger has a file as its body. */
function takesFile(document: FlowDocument, trigger: string): boolean {
  const config = document.definition.nodes[trigger]?.config;
  return isHook(document, trigger) && isObject(config) && config.body === "file";
}

/** The files that a run of this trigger asks for. */
function filesOf(document: FlowDocument, trigger: string): FileField[] {
  if (takesFile(document, trigger)) return [{ name: "body", title: "body", isRequired: true }];
  return isHook(document, trigger) ? [] : fileFields(document.definition.input_schema);
}

/** Tries the workflow as it is being edited: all of it, up to one node, or one node alone. Says before what acts for real. */
export function TestDialog({ workflowId, project, part: first, testing, onClose }: Props) {
  const t = useT();
  const store = useCanvasStore();
  const client = useClient();
  const document = useCanvas((state) => state.document);
  const catalog = useCanvas((state) => state.catalog);
  const triggers = Object.entries(document.definition.nodes)
    .filter(([, node]) => isTrigger(catalog.get(node.type)))
    .map(([key]) => key);
  const [part, setPart] = useState(first);
  const [trigger, setTrigger] = useState(testing.started?.wish.trigger ?? triggers[0] ?? "");
  const wished = testing.started?.wish;
  // With files, the run's own input is what can be given again: it has them.
  const before = wished?.files ? undefined : wished?.input;
  const [input, setInput] = useState(() => JSON.stringify(before ?? proposal(document, trigger), null, 2));
  const [nodeInput, setNodeInput] = useState("");
  const [reuse, setReuse] = useState(true);
  const [refused, setRefused] = useState<string>();
  const [starting, setStarting] = useState(false);
  const files = useUploads(project);

  // What the latest run got is the best proposal, as long as nobody has typed anything.
  const { runId } = testing;
  const [proposed] = useState(input);
  useEffect(() => {
    if (before !== undefined || runId === null || pinOf(store.getState().document, trigger)) return;
    let gone = false;
    void inputOf(client, runId).then((found) => {
      if (gone || found?.value === undefined || found.value === null || found.redacted) return;
      const text = JSON.stringify(found.value, null, 2);
      setInput((now) => (now === proposed ? text : now));
    });
    return () => {
      gone = true;
    };
  }, [client, runId, before, proposed, store, trigger]);

  const read = useMemo(() => parse(input), [input]);
  const readNode = useMemo(() => parse(nodeInput), [nodeInput]);
  const members = read.ok && isObject(read.value) ? read.value : {};
  const taken = Object.keys(members);
  const isSent = canBeGiven(files.uploads, taken);
  const fits = read.ok && readNode.ok;
  const wish = useMemo(
    (): Wish => ({
      part,
      reuse,
      ...(triggers.length > 1 && trigger ? { trigger } : {}),
      ...(read.ok && read.value !== undefined ? { input: read.value } : {}),
      ...(files.uploads.length > 0 ? { files: given(files.uploads) } : {}),
      ...(readNode.ok && readNode.value !== undefined ? { nodeInput: readNode.value } : {}),
    }),
    [part, reuse, trigger, triggers.length, read, readNode, files.uploads],
  );
  const planned = useMemo(() => asInput(workflowId, document, wish), [workflowId, document, wish]);
  const [plan] = useQuery({
    query: TestPlanQuery,
    variables: { input: planned },
    requestPolicy: "network-only",
    pause: !fits,
  });
  const known = plan.data?.testPlan;
  const fate = (of: string) => known?.nodes.filter((node) => node.fate === of).map(({ node }) => node) ?? [];

  const go = async () => {
    if (!fits || !isSent) return;
    setStarting(true);
    const why = await testing.go(wish);
    setStarting(false);
    if (why === undefined) return onClose();
    setRefused(why);
  };

  /** Sends a file. It goes in the place of one that the input has from the run before. */
  const send = (id: string, field: string, file: File) => {
    const { [field]: old, ...rest } = members;
    if (old !== undefined) setInput(JSON.stringify(rest, null, 2));
    return files.send(id, field, file);
  };

  const keys = Object.keys(document.definition.nodes);
  const node = part.what === "all" ? (keys.find((key) => !triggers.includes(key)) ?? "") : part.node;
  return (
    <Dialog
      title={t("test.title")}
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>{t("action.cancel")}</Button>
          <Button
            look="primary"
            disabled={!fits || !isSent || starting || (known?.userErrors.length ?? 0) > 0}
            onClick={() => void go()}
          >
            {t("test.go")}
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-4">
        <div className="grid grid-cols-2 gap-3 max-sm:grid-cols-1">
          <Select
            label={t("test.part")}
            value={part.what}
            options={(["all", "to", "only"] as const).map((what) => [what, t(`test.part.${what}`)] as const)}
            onChange={(what) => setPart(what === "all" ? { what } : { what: what as "to" | "only", node })}
          />
          {part.what === "all" ? null : (
            <Select
              label={t("test.node")}
              value={part.node}
              options={keys.map((key) => [key, titleOf(key, document.definition.nodes[key])] as const)}
              onChange={(key) => setPart({ what: part.what, node: key })}
            />
          )}
          {triggers.length > 1 ? (
            <Select
              label={t("run.trigger")}
              value={trigger}
              options={triggers.map((key) => [key, titleOf(key, document.definition.nodes[key])] as const)}
              onChange={(key) => {
                setTrigger(key);
                setInput(JSON.stringify(proposal(document, key), null, 2));
              }}
            />
          ) : null}
        </div>
        <TextArea
          label={t("run.input")}
          help={t("test.input.help")}
          rows={8}
          value={input}
          error={read.ok ? undefined : t("form.notJson", { message: read.message })}
          onChange={setInput}
        />
        <RunFiles fields={filesOf(document, trigger)} taken={taken} files={{ ...files, send }} />
        {part.what === "only" ? (
          <TextArea
            label={t("test.nodeInput")}
            help={t("test.nodeInput.help")}
            rows={4}
            value={nodeInput}
            error={readNode.ok ? undefined : t("form.notJson", { message: readNode.message })}
            onChange={setNodeInput}
          />
        ) : null}
        {part.what === "all" ? null : <Check label={t("test.reuse")} checked={reuse} onChange={setReuse} />}
        {known && known.effectful.length > 0 ? (
          <p className="rounded-md border border-waiting p-2">
            {t("test.effectful", { nodes: known.effectful.join(", ") })}
          </p>
        ) : null}
        {fate("PINNED").length > 0 ? (
          <p className="text-soft">{t("test.pinned", { nodes: fate("PINNED").join(", ") })}</p>
        ) : null}
        {fate("REUSED").length > 0 ? (
          <p className="text-soft">{t("test.reused", { nodes: fate("REUSED").join(", ") })}</p>
        ) : null}
        {known && known.problems.length > 0 ? (
          <ul className="list-disc pl-5 text-failed">
            {known.problems.slice(0, 5).map((problem) => (
              <li key={problem.code + problem.path}>
                <Told code={problem.code} message={problem.message} />
              </li>
            ))}
          </ul>
        ) : null}
        {known && known.problems.length === 0 && known.userErrors.length > 0 ? (
          <p className="text-failed">{refusalOf(known.userErrors)}</p>
        ) : null}
        {refused && !(known && (known.problems.length > 0 || known.userErrors.length > 0)) ? (
          <p role="alert" className="text-failed">
            {refused}
          </p>
        ) : null}
      </div>
    </Dialog>
  );
}
