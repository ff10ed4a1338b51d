import { type FormEvent, useState } from "react";
import { checkKey } from "@/api/client";
import { useT } from "@/i18n";
import { Button } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { TextField } from "@/ui/Field";
import { forgetWorkspace, signInAddress, useSession } from "./session";

function KeyForm() {
  const t = useT();
  const signIn = useSession((session) => session.signIn);
  const [key, setKey] = useState("");
  const [error, setError] = useState<string>();
  const [asking, setAsking] = useState(false);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setAsking(true);
    const answer = await checkKey(key.trim());
    setAsking(false);
    if (answer === "ok") return signIn(key.trim());
    setError(t(answer === "refused" ? "signIn.refused" : "signIn.unreachable"));
  };
  return (
    <form onSubmit={(event) => void submit(event)} className="flex flex-col gap-4">
      <TextField
        label={t("signIn.key")}
        help={t("signIn.help")}
        error={error}
        type="password"
        autoComplete="off"
        required
        className="font-mono"
        value={key}
        onChange={setKey}
      />
      <Button type="submit" look="primary" disabled={key.trim() === "" || asking}>
        {t("signIn.go")}
      </Button>
    </form>
  );
}

/** The way to the provider, and back to the page that is open. */
function ProviderLink() {
  const t = useT();
  const provider = useSession((session) => session.provider);
  if (provider === null) return null;
  return (
    <>
      <a
        href={signInAddress(location)}
        className="mb-4 flex h-8 items-center justify-center rounded-md border border-accent bg-accent px-3 font-medium text-on-accent hover:opacity-90 max-sm:h-11"
      >
        {t("signIn.by", { name: provider })}
      </a>
      <h2 className="mb-2 font-medium text-soft">{t("signIn.orKey")}</h2>
    </>
  );
}

/** Leads to the provider where there is one, or asks for an API key, which is kept for this tab only. */
export function SignInPage() {
  const t = useT();
  const linkOver = useSession((session) => session.linkOver);
  const refusal = useSession((session) => session.refusal);
  const signedOut = useSession((session) => session.signedOut);
  const unreachable = useSession((session) => session.unreachable);
  const invitation = useSession((session) => session.invitation);
  return (
    <main className="flex h-full items-center justify-center p-4">
      <div className="w-full max-w-sm rounded-xl border border-line bg-surface p-6">
        <h1 className="mb-4 font-semibold text-title">{t("signIn.title")}</h1>
        {linkOver ? (
          <p role="alert" className="mb-4">
            {t("signIn.linkOver")}
          </p>
        ) : null}
        {refusal ? (
          <p role="alert" className="mb-4">
            {t(`signIn.${refusal}`)}
          </p>
        ) : null}
        {unreachable ? (
          <div role="alert" className="mb-4 flex items-center justify-between gap-3">
            <p>{t("signIn.unreachable")}</p>
            <Button onClick={() => location.reload()}>{t("action.retry")}</Button>
          </div>
        ) : null}
        {signedOut ? (
          <p role="status" className="mb-4">
            {t("signIn.signedOut")}
          </p>
        ) : null}
        {invitation ? (
          <p className="mb-4 rounded-md bg-accent-soft p-3">
            <strong className="font-semibold">{t("invite.first")}</strong> {t("invite.first.help")}
          </p>
        ) : null}
        <ProviderLink />
        <KeyForm />
      </div>
    </main>
  );
}

/** Asks for a key again over the page that is open, which stays as it is. */
export function SignInAgain() {
  const t = useT();
  const provider = useSession((session) => session.provider);
  return (
    <Dialog title={t("signIn.again")} onClose={() => undefined} blocking>
      <p className="mb-3">{t("signIn.again.why")}</p>
      {provider ? <p className="mb-3">{t("signIn.again.by")}</p> : null}
      <ProviderLink />
      <KeyForm />
    </Dialog>
  );
}

/** Says that somebody is in this workspace no more, and leads to one that they are in. */
export function LeftWorkspace() {
  const t = useT();
  return (
    <Dialog
      title={t("account.left")}
      onClose={() => undefined}
      blocking
      footer={
        <Button
          look="primary"
          onClick={() => {
            forgetWorkspace();
            location.assign("/");
          }}
        >
          {t("account.left.go")}
        </Button>
      }
    >
      <p>{t("account.left.why")}</p>
    </Dialog>
  );
}
