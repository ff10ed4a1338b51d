import type { ResultOf } from "@graphql-typed-document-node/core";
import { Copy, Send } from "lucide-react";
import { useCallback, useEffect, useState } from "react";
import { Link } from "react-router";
import { useClient } from "urql";
import { messageOf, refusalOf } from "@/api/errors";
import { graphql } from "@/gql";
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

/** A body on one line, as far as it can be read. */
function compact(body: string): string {
  const read = parse(body);
  return read.ok && read.value !== undefined ? JSON.stringify(read.value) : body;
}

/** A text for a shell, in quotes that keep it as it is. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

const SampleMutation = graphql(`
  mutation SampleDelivery($input: SampleDeliveryInput!) {
    sampleDelivery(input: $input) {
      delivery { method path headers { name value } body }
      userErrors { code message field }
    }
  }
`);

type Delivery = NonNullable<ResultOf<typeof SampleMutation>["sampleDelivery"]["delivery"]>;

/** How long typing may pause before the command is made anew, in milliseconds. */
const TYPING = 300;

/** The delivery as a command, signed where the webhook wants that. */
export function commandOf({ method, path, headers, body }: Delivery): string {
  const said = headers.map(({ name, value }) => `-H ${quoted(`${name}: ${value}`)}`);
  const sent = hasBody(method) ? [`--data-binary ${quoted(body)}`] : [];
  return ["curl -s", `-X ${method}`, quoted(location.origin + path), ...said, ...sent].join(" ");
}

function hasBody(method: string): boolean {
  return method !== "GET" && method !== "HEAD";
}

/** Where a deployed webhook takes requests: to copy, and to send one from here. The server signs them. */
export function Hook({ binding }: { binding: string }) {
  const t = useT();
  const toast = useToasts((toasts) => toasts.show);
  const client = useClient();
  const [body, setBody] = useState('{\n  "id": 1\n}');
  const [sending, setSending] = useState(false);
  const [answered, setAnswered] = useState<Answered>();
  const [made, setMade] = useState<{ delivery: Delivery } | { refused: string }>();
  const read = parse(body);
  const readable = read.ok;
  const sign = useCallback(async () => {
    const answer = await client.mutation(SampleMutation, { input: { triggerId: binding, body: compact(body) } });
    const payload = answer.data?.sampleDelivery;
    const refused = answer.error ? messageOf(answer.error) : refusalOf(payload?.userErrors);
    const next = payload?.delivery ? { delivery: payload.delivery } : { refused };
    setMade(next);
    return next;
  }, [client, binding, body]);
  useEffect(() => {
    if (!readable) return;
    const timer = setTimeout(() => void sign(), TYPING);
    return () => clearTimeout(timer);
  }, [readable, sign]);
  const send = async () => {
    setSending(true);
    setAnswered(undefined);
    // Anew, because a signature counts once.
    const signed = await sign();
    if ("refused" in signed) {
      setSending(false);
      return toast(signed.refused);
    }
    const { method, path, headers, body } = signed.delivery;
    const answer = await fetch(path, {
      method,
      headers: headers.map(({ name, value }): [string, string] => [name, value]),
      ...(hasBody(method) ? { body } : {}),
      credentials: "omit",
    }).catch(() => undefined);
    setSending(false);
    if (!answer) return toast(t("error.unreachable"));
    const text = await answer.text().catch(() => "");
    setAnswered({ status: answer.status, text, run: answer.headers.get("x-flowforge-run-id") });
  };
  const command = made && "delivery" in made ? commandOf(made.delivery) : undefined;
  const copy = async () => {
    const signed = await sign();
    if ("refused" in signed) return toast(signed.refused);
    // Without a secure origin a browser has no clipboard for pages; the text can be chosen by hand.
    await navigator.clipboard?.writeText(commandOf(signed.delivery)).then(() => toast(t("hook.copied")));
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
        <pre className="whitespace-pre-wrap break-all">
          {command ?? (made && "refused" in made ? made.refused : "…")}
        </pre>
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
