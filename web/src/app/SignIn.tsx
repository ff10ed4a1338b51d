import { type FormEvent, type ReactNode, useEffect, useRef, useState } from "react";
import { useT } from "@/i18n";
import { Button } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { TextField } from "@/ui/Field";
import { check, redeem, useSession } from "./session";

function KeyForm({ onSignedIn }: { onSignedIn?: () => void }) {
  const t = useT();
  const signIn = useSession((session) => session.signIn);
  const [key, setKey] = useState("");
  const [error, setError] = useState<string>();
  const [asking, setAsking] = useState(false);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setAsking(true);
    const credential = { by: "key", key: key.trim() } as const;
    const answer = await check(credential);
    setAsking(false);
    if (answer !== "ok") return setError(t(answer === "refused" ? "signIn.refused" : "signIn.unreachable"));
    signIn(credential);
    onSignedIn?.();
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

function Sheet({ children }: { children: ReactNode }) {
  const t = useT();
  return (
    <main className="flex h-full items-center justify-center p-4">
      <div className="flex w-full max-w-sm flex-col gap-4 rounded-xl border border-line bg-surface p-6">
        <h1 className="font-semibold text-title">{t("signIn.title")}</h1>
        {children}
      </div>
    </main>
  );
}

/** How to sign in: by a link that the server prints, or with an API key for this tab. */
export function SignInPage({ onSignedIn }: { onSignedIn?: () => void }) {
  const t = useT();
  return (
    <Sheet>
      <p>{t("signIn.link")}</p>
      <code className="rounded-md bg-raised px-2 py-1.5 font-mono">flowforge admin login-link</code>
      <KeyForm {...(onSignedIn ? { onSignedIn } : {})} />
    </Sheet>
  );
}

/** Opens a session with the link that led here. Its secret stands behind `#`, which no server and no log ever sees. */
export function SignInByLink() {
  const t = useT();
  const [refused, setRefused] = useState(false);
  const redeemed = useRef(false);
  useEffect(() => {
    // The link works once, and effects may run twice.
    if (redeemed.current) return;
    redeemed.current = true;
    const token = location.hash.slice(1);
    history.replaceState(null, "", "/sign-in");
    void redeem(token).then((answer) => {
      if (answer !== "ok") return setRefused(true);
      useSession.getState().signIn({ by: "session" });
      location.replace("/workflows");
    });
  }, []);
  if (!refused) {
    return (
      <p role="status" className="p-6 text-soft">
        {t("loading")}
      </p>
    );
  }
  return (
    <Sheet>
      <p role="alert" className="text-failed">
        {t("signIn.linkRefused")}
      </p>
      <p>{t("signIn.link")}</p>
      <code className="rounded-md bg-raised px-2 py-1.5 font-mono">flowforge admin login-link</code>
      <KeyForm onSignedIn={() => location.replace("/workflows")} />
    </Sheet>
  );
}

/** Asks for a key again over the page that is open, which stays as it is. */
export function SignInAgain() {
  const t = useT();
  return (
    <Dialog title={t("signIn.again")} onClose={() => undefined} blocking>
      <p className="mb-3">{t("signIn.again.why")}</p>
      <KeyForm />
    </Dialog>
  );
}
