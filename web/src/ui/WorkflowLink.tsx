import { Link } from "react-router";
import { useT } from "@/i18n";

interface Props {
  workflow: { name: string; title: string; project: { slug: string } } | null | undefined;
}

/** A way to a workflow; of one that was deleted only runs are left. */
export function WorkflowLink({ workflow }: Props) {
  const t = useT();
  if (!workflow) return <span className="text-soft">{t("runs.deletedWorkflow")}</span>;
  return (
    <Link to={`/workflows/${workflow.project.slug}/${workflow.name}`} className="hover:underline">
      {workflow.title}
    </Link>
  );
}
