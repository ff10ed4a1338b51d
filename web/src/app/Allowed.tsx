import type { ReactNode } from "react";
import { useT } from "@/i18n";
import { Empty, Failure } from "@/ui/Empty";
import { useRoleWord, useViewer } from "./viewer";

/** A page for those who have a permission. Others are told what it takes, also when they lose it while it is open. */
export function Allowed({ to, children }: { to: string; children: ReactNode }) {
  const t = useT();
  const word = useRoleWord();
  const { viewer, may, error, again } = useViewer();
  if (!viewer) {
    if (error) return <Failure error={error} onRetry={again} />;
    return (
      <p role="status" className="p-6 text-soft">
        {t("loading")}
      </p>
    );
  }
  if (may(to)) return children;
  return (
    <div role="status">
      <Empty title={t("allowed.not")}>
        <p>{t("allowed.why", { role: word(viewer.roleName), permission: to })}</p>
        <p className="mt-2">{t("allowed.who")}</p>
      </Empty>
    </div>
  );
}
