import { Copy, Send } from "lucide-react";
import { useState } from "react";
import { useT } from "@/i18n";
import { Button } from "@/ui/Button";
import { TextArea } from "@/ui/Field";
import { useToasts } from "@/ui/toast";
import { parse } from "./schemaForm/kind";

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
  const url = location.origin + path;
  const command = `curl -s ${quoted(url)} -H 'Content-Type: application/json' -d ${quoted(body.replace(/\s*\n\s*/g, " "))}`;
  const read = parse(body);
  const send = async () => {
    setSending(true);
    const answer = await fetch(path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
      credentials: "omit",
    }).catch(() => undefined);
    setSending(false);
    toast(answer ? t("hook.answered", { status: answer.status }) : t("error.unreachable"));
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
      <p className="text-small text-soft">{t("hook.help")}</p>
    </div>
  );
}
