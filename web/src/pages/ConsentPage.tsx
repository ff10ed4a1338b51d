import { useEffect, useRef, useState } from "react";
import { Link, useNavigate, useSearchParams } from "react-router";
import { useMutation } from "urql";
import { messageOf, refusalOf } from "@/api/errors";
import { FinishSignInMutation } from "@/connections/queries";
import { useT } from "@/i18n";
import { Empty } from "@/ui/Empty";
import { useToasts } from "@/ui/toast";

/** Where a service sends a person back to who signed a connection in, or would not. */
export default function ConsentPage() {
  const t = useT();
  const toast = useToasts((toasts) => toasts.show);
  const navigate = useNavigate();
  const [params] = useSearchParams();
  const [, finish] = useMutation(FinishSignInMutation);
  const [failed, setFailed] = useState<string>();
  const sent = useRef(false);
  const [state, code, error] = [params.get("state"), params.get("code"), params.get("error")];
  useEffect(() => {
    // A code counts once, and effects may come twice.
    if (sent.current) return;
    sent.current = true;
    const end = async () => {
      if (!state || !code) return setFailed(error ?? t("consent.nothing"));
      const answer = await finish({ input: { state, code } });
      if (answer.error) return setFailed(messageOf(answer.error));
      const payload = answer.data?.finishConnectionSignIn;
      if (!payload?.connection) return setFailed(refusalOf(payload?.userErrors));
      toast(t("consent.done", { name: payload.connection.name }));
      navigate("/connections", { replace: true });
    };
    void end();
  }, [state, code, error, finish, navigate, t, toast]);
  if (failed === undefined) {
    return (
      <p role="status" className="p-4 text-soft">
        {t("consent.wait")}
      </p>
    );
  }
  return (
    <Empty
      title={t("consent.failed")}
      action={
        <Link to="/connections" className="text-accent underline">
          {t("nav.connections")}
        </Link>
      }
    >
      {failed}
    </Empty>
  );
}
