import { FlaskConical, Pin as PinIcon, PinOff, StepForward } from "lucide-react";
import { useEffect, useMemo, useState } from "react";
import { type Head, ValueView } from "@/data/ValueView";
import { useT } from "@/i18n";
import { Button } from "@/ui/Button";
import { Select, TextArea } from "@/ui/Field";
import { StatusBadge } from "@/ui/StatusBadge";
import { Told } from "@/ui/Told";
import { useToasts } from "@/ui/toast";
import { outputsOf } from "../model/catalog";
import type { Pin } from "../model/document";
import { pinFrom, pinOf, pinsFit, setPin } from "../model/pins";
import { nodeRunId } from "../overlay/ids";
import { useNodeState } from "../overlay/overlay";
import { useCanvas, useCanvasStore } from "../store";
import { Hook } from "./Hook";
import { type Sample, useLastRun, useSample } from "./lastRun";
import { parse } from "./schemaForm/kind";

/** What a node gave in the last run, and the pin that may stand for it in tests. */
export function Giving({ id }: { id: string }) {
  const t = useT();
  const pin = useCanvas((state) => pinOf(state.document, id));
  const readOnly = useCanvas((state) => state.readOnly);
  const state = useNodeState(id);
  const sample = useSample(id);
  const { test, mayTest, hooks, runId } = useLastRun();
  const source = useMemo(() => ({ of: "output", nodeRun: nodeRunId(runId ?? "", id) }) as const, [runId, id]);
  const set = useSetPin(id);
  // What is hidden is not what the node gave, so it must not stand for it.
  const known = sample?.redacted ? undefined : sample?.value;
  const isHook = useCanvas((canvas) => canvas.document.definition.nodes[id]?.type.startsWith("trigger.webhook@"));
  const main = useCanvas((canvas) => {
    const node = canvas.document.definition.nodes[id];
    return node ? (outputsOf(node, canvas.catalog)[0]?.name ?? null) : null;
  });
  return (
    <div className="flex flex-col gap-3">
      {mayTest ? (
        <div className="flex flex-wrap gap-1.5">
          <Button icon={<StepForward size={14} aria-hidden />} onClick={() => test({ what: "to", node: id })}>
            {t("test.toHere")}
          </Button>
          <Button icon={<FlaskConical size={14} aria-hidden />} onClick={() => test({ what: "only", node: id })}>
            {t("test.alone")}
          </Button>
        </div>
      ) : null}
      {hooks[id] ? (
        <Hook key={hooks[id]} binding={hooks[id]} />
      ) : isHook ? (
        <p className="text-small text-soft">{t("hook.later")}</p>
      ) : null}
      {state ? <StatusBadge status={state.status} /> : null}
      {state?.error ? (
        <p className="rounded-md border border-failed p-2">
          <span className="block font-mono text-failed text-small">{state.error.code}</span>
          <Told code={state.error.code} message={state.error.message} />
        </p>
      ) : null}
      {pin ? (
        <PinEditor key={id} id={id} pin={pin} readOnly={readOnly} set={set} />
      ) : (
        <>
          {sample ? (
            <ValueView head={headOf(sample)} source={source} label={t("nodeRun.output")} path={`nodes.${id}.output`} />
          ) : (
            <p className="text-small text-soft">{t("data.noOutput")}</p>
          )}
          {sample?.redacted ? <p className="text-small text-soft">{t("pin.redacted")}</p> : null}
          {readOnly || (sample && sample.value === undefined && !sample.redacted) ? null : (
            <div>
              <Button
                icon={<PinIcon size={14} aria-hidden />}
                onClick={() => set(known === undefined ? pinFrom({}, main) : pinFrom(known, sample?.port ?? null))}
              >
                {known === undefined ? t("pin.write") : t("pin.pin")}
              </Button>
              <p className="mt-1 text-small text-soft">{t("pin.help")}</p>
            </div>
          )}
        </>
      )}
    </div>
  );
}

function headOf({ kind, bytes, preview, value, redacted, download }: Sample): Head {
  return { kind, byteSize: bytes, preview, truncated: value === undefined, redacted, download };
}

/** Pins and unpins a node, as one step that can be undone. */
function useSetPin(id: string): (pin: Pin | undefined) => void {
  const t = useT();
  const store = useCanvasStore();
  const toast = useToasts((toasts) => toasts.show);
  return (pin) => {
    const { document, apply } = store.getState();
    if (pin && !pinsFit(document, id, pin)) return toast(t("pin.tooLarge"));
    apply(t(pin ? "did.pin" : "did.unpin"), (before) => setPin(before, id, pin), `pin ${id}`);
  };
}

interface EditorProps {
  id: string;
  pin: Pin;
  readOnly: boolean;
  set: (pin: Pin | undefined) => void;
}

function PinEditor({ id, pin, readOnly, set }: EditorProps) {
  const t = useT();
  const node = useCanvas((state) => state.document.definition.nodes[id]);
  const catalog = useCanvas((state) => state.catalog);
  const ports = node ? outputsOf(node, catalog) : [];
  const [text, setText] = useState(() => JSON.stringify(pin.output, null, 2));
  // What was taken back, or changed by somebody else, is shown; what is being typed stays as it is.
  useEffect(() => {
    setText((now) => {
      const read = parse(now);
      const shown = JSON.stringify(pin.output);
      return read.ok && JSON.stringify(read.value) === shown ? now : JSON.stringify(pin.output, null, 2);
    });
  }, [pin.output]);
  const read = parse(text);
  const known = read.ok && read.value !== undefined;
  return (
    <div className="flex flex-col gap-3 border-accent border-l-2 border-dashed pl-3">
      <TextArea
        label={t("pin.output")}
        help={t("pin.output.help")}
        rows={8}
        value={text}
        readOnly={readOnly}
        error={known ? undefined : t("form.notJson", { message: read.ok ? "" : read.message })}
        onKeyDown={(event) => event.stopPropagation()}
        onChange={(next) => {
          setText(next);
          const parsed = parse(next);
          if (parsed.ok && parsed.value !== undefined) set({ ...pin, output: parsed.value });
        }}
      />
      {ports.length > 1 ? (
        <Select
          label={t("pin.port")}
          disabled={readOnly}
          value={pin.port ?? "out"}
          options={ports.map(({ name }) => [name, name] as const)}
          onChange={(port) => set(pinFrom(pin.output, port))}
        />
      ) : null}
      {readOnly ? null : (
        <div>
          <Button icon={<PinOff size={14} aria-hidden />} onClick={() => set(undefined)}>
            {t("pin.unpin")}
          </Button>
        </div>
      )}
    </div>
  );
}
