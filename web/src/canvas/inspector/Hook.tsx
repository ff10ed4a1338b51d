import { Copy, Send } from "lucide-react";
import { useState } from "react";
import { Link } from "react-router";
import { useT } from "@/i18n";
import { Button } from "@/ui/Button";
import { TextArea } from "@/ui/Field";
import { Json, pretty } from "@/ui/Json";
import { useToasts } from "@/ui/toast";
import { parse } from "./schemaForm/kind";

/** More of an answer than this is left to the run. */
const MOST_SHOWN = 4_000;

interface Answered {
  status: number;
  text: string;
  /** The run that it started. */
  run: string | null;
}

/** A text for a shell, in quotes that keep it as it is. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** Where a deployed webhook takes requests: to copy, and to send one from here. */
export function Hook({ path }: { path: string }) {
  const t = useT();
  const toast = useToasts((toasts) => toasts.show);
  const [body, setBody] = useState('{\n  "id": 1\n}');
  const [sending, setSending] = useState(false);
  const [answered, setAnswered] = useState<Answered>();
  const url = location.origin + path;
  const command = `curl -s ${quoted(url)} -H 'Content-Type: application/json' -d ${quoted(body.replace(/\s*\n\s*/g, " "))}`;
  const read = parse(body);
  const send = async () => {
    setSending(true);
    setAnswered(undefined);
    const answer = await fetch(path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
      credentials: "omit",
    }).catch(() => undefined);
    setSending(false);
    if (!answer) return toast(t("error.unreachable"));
    const text = await answer.text().catch(() => "");
    setAnswered({ status: answer.status, text, run: answer.headers.get("x-flowforge-run-id") });
  };
  const copy = async () => {
    // Without a secure origin a browser has no clipboard for pages; the text can be chosen by hand.
    await navigator.clipboard?.writeText(command).then(() => toast(t("hook.copied")));
  };
  return (
    <div className="flex flex-col gap-2">
      <h4 className="font-medium">{t("hook.title")}</h4>
      <TextArea
        label={t("hook.body")}
        rows={3}
        value={body}
        error={read.ok ? undefined : t("form.notJson", { message: read.message })}
        onKeyDown={(event) => event.stopPropagation()}
        onChange={setBody}
      />
      <section
        aria-label={t("hook.command")}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
        tabIndex={0}
        className="overflow-auto rounded-md border border-line bg-page p-2 font-mono text-small"
      >
        <pre className="whitespace-pre-wrap break-all">{command}</pre>
      </section>
      <div className="flex gap-1.5">
        <Button icon={<Send size={14} aria-hidden />} disabled={!read.ok || sending} onClick={() => void send()}>
          {t("hook.send")}
        </Button>
        <Button icon={<Copy size={14} aria-hidden />} onClick={() => void copy()}>
          {t("hook.copy")}
        </Button>
      </div>
      {answered ? (
        <div role="status" className="flex flex-col gap-1.5">
          <p className="flex flex-wrap gap-x-3">
            {t("hook.answered", { status: answered.status })}
            {answered.run ? (
              <Link to={`/runs/${answered.run}`} className="text-accent underline">
                {t("test.open")}
              </Link>
            ) : null}
          </p>
          {answered.text === "" ? null : (
            <Json text={pretty(answered.text.slice(0, MOST_SHOWN))} label={t("hook.answer")} />
          )}
        </div>
      ) : null}
      <p className="text-small text-soft">{t("hook.help")}</p>
    </div>
  );
}
