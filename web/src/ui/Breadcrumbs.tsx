import { Link } from "react-router";
import { useT } from "@/i18n";

/** The way to a page of a workflow: all workflows, then its canvas. */
export function WorkflowBreadcrumbs({ project, name }: { project: string; name: string }) {
  const t = useT();
  return (
    <nav aria-label={t("nav.breadcrumbs")} className="text-small text-soft">
      <Link to="/workflows" className="hover:underline">
        {t("nav.workflows")}
      </Link>
      {" / "}
      <Link to={`/workflows/${project}/${name}`} className="font-mono hover:underline">
        {project}/{name}
      </Link>
    </nav>
  );
}
