import type { CombinedError } from "@urql/core";
import type { ReactNode } from "react";
import { codeOf, errorIdOf, messageOf } from "@/api/errors";
import { useT } from "@/i18n";
import { Button } from "./Button";

/** A page or list with nothing in it: what it is for, and what to do. */
export function Empty({ title, children, action }: { title: string; children?: ReactNode; action?: ReactNode }) {
  return (
    <div className="mx-auto flex max-w-md flex-col items-center gap-3 px-4 py-16 text-center">
      <p className="font-semibold text-section">{title}</p>
      {children ? <div className="text-soft">{children}</div> : null}
      {action}
    </div>
  );
}

/** Something could not be loaded: why, under which code, and a way to try again. */
export function Failure({ error, onRetry }: { error: CombinedError; onRetry?: () => void }) {
  const t = useT();
  const code = codeOf(error);
  const id = errorIdOf(error);
  return (
    <div role="alert">
      <Empty
        title={code === "NETWORK" ? t("error.unreachable") : t("error.failed")}
        action={onRetry ? <Button onClick={onRetry}>{t("action.retry")}</Button> : null}
      >
        <p>{messageOf(error)}</p>
        <p className="mt-1 font-mono text-small">
          {code}
          {id ? ` · ${id}` : ""}
        </p>
      </Empty>
    </div>
  );
}
