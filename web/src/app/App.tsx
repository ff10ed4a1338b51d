import { useMemo } from "react";
import { RouterProvider } from "react-router";
import { Provider } from "urql";
import { newClient } from "@/api/client";
import { router } from "@/routes";
import { Toasts } from "@/ui/toast";
import { LeftWorkspace, SignInAgain, SignInPage } from "./SignIn";
import { useSession } from "./session";

/** The pages, for whoever has shown a key. */
export function App() {
  const key = useSession((session) => session.key);
  const arriving = useSession((session) => session.arriving);
  const expired = useSession((session) => session.expired);
  const left = useSession((session) => session.left);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another key means another client
  const client = useMemo(newClient, [key]);
  if (arriving) return <main aria-busy="true" />;
  if (key === null) return <SignInPage />;
  return (
    <Provider value={client}>
      <RouterProvider router={router} />
      <Toasts />
      {expired ? <SignInAgain /> : left ? <LeftWorkspace /> : null}
    </Provider>
  );
}
