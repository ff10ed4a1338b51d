import { Link, useRouteError } from "react-router";
import { useT } from "@/i18n";
import { Button } from "@/ui/Button";
import { Empty } from "@/ui/Empty";

/** A page that failed: what is known of it, and a way out. Work on workflows is kept in the browser. */
export function Broken() {
  const t = useT();
  const error = useRouteError();
  return (
    <main role="alert">
      <Empty title={t("broken.title")} action={<Button onClick={() => location.reload()}>{t("action.reload")}</Button>}>
        <p>{t("broken.text")}</p>
        <p className="mt-2 font-mono text-small">{error instanceof Error ? error.message : String(error)}</p>
      </Empty>
    </main>
  );
}

/** An address that nothing is at. */
export function NotFound() {
  const t = useT();
  return (
    <Empty
      title={t("notFound.title")}
      action={
        <Link to="/workflows" className="text-accent underline">
          {t("nav.workflows")}
        </Link>
      }
    >
      {t("notFound.text")}
    </Empty>
  );
}
