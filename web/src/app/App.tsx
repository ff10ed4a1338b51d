import { useEffect, useMemo, useState } from "react";
import { RouterProvider } from "react-router";
import { Provider } from "urql";
import { newClient } from "@/api/client";
import { useT } from "@/i18n";
import { router } from "@/routes";
import { Toasts } from "@/ui/toast";
import { SignInAgain, SignInByLink, SignInPage } from "./SignIn";
import { check, useSession } from "./session";

/** The pages, for whoever is signed in. */
export function App() {
  const t = useT();
  const credential = useSession((session) => session.credential);
  const expired = useSession((session) => session.expired);
  const [known, setKnown] = useState<boolean>();
  // biome-ignore lint/correctness/useExhaustiveDependencies: another credential means another client
  const client = useMemo(newClient, [credential]);
  const byLink = location.pathname === "/sign-in";
  // Whether the browser has a session can only be asked. Once pages are open, `expired` takes over.
  useEffect(() => {
    if (byLink || credential === null || known === true) return;
    void check(credential).then((answer) => setKnown(answer !== "refused"));
  }, [byLink, credential, known]);
  if (byLink) return <SignInByLink />;
  if (credential === null || known === false) return <SignInPage onSignedIn={() => setKnown(true)} />;
  if (known === undefined) {
    return (
      <p role="status" className="p-6 text-soft">
        {t("loading")}
      </p>
    );
  }
  return (
    <Provider value={client}>
      <RouterProvider router={router} />
      <Toasts />
      {expired ? <SignInAgain /> : null}
    </Provider>
  );
}
