import { Plus } from "lucide-react";
import { useState } from "react";
import { useQuery } from "urql";
import { setNode } from "@/canvas/model/commands";
import { useCanvas, useCanvasStore } from "@/canvas/store";
import { useT } from "@/i18n";
import { Button } from "@/ui/Button";
import { Select } from "@/ui/Field";
import { ConnectionDialog } from "./ConnectionDialog";
import { ConnectionChoicesQuery } from "./queries";

interface Props {
  id: string;
  /** The types of connections that the node takes. */
  types: readonly string[];
  project: string;
  mayCreate: boolean;
  error: string | undefined;
}

/** Which credential a node uses: those of its project that fit, or none. */
export function ConnectionPicker({ id, types, project, mayCreate, error }: Props) {
  const t = useT();
  const store = useCanvasStore();
  const connection = useCanvas((state) => state.document.definition.nodes[id]?.connection);
  const readOnly = useCanvas((state) => state.readOnly);
  const [{ data }, ask] = useQuery({
    query: ConnectionChoicesQuery,
    variables: { filter: { project } },
    requestPolicy: "cache-and-network",
  });
  const [creating, setCreating] = useState(false);
  const set = (name: string) =>
    store
      .getState()
      .apply(t("did.config"), (before) => setNode(before, id, { connection: name || undefined }), `connection ${id}`);
  const fitting = (data?.connections.nodes ?? []).filter(({ type }) => types.includes(type));
  // One name stands for a credential in each environment.
  const names = [...new Set([...fitting.map(({ name }) => name), ...(connection ? [connection] : [])])].sort();
  const label = (name: string) => {
    const own = fitting.filter((one) => one.name === name);
    return own.length === 0 ? name : `${name} · ${own[0]?.type} · ${own.map((one) => one.environment).join(", ")}`;
  };
  return (
    <div className="mb-4 flex items-end gap-2">
      <div className="min-w-0 flex-1">
        <Select
          label={t("connections.one")}
          disabled={readOnly}
          error={error}
          value={connection ?? ""}
          options={[["", t("connections.none")], ...names.map((name) => [name, label(name)] as const)]}
          onChange={set}
        />
      </div>
      {mayCreate && !readOnly ? (
        <Button icon={<Plus size={14} aria-hidden />} onClick={() => setCreating(true)}>
          {t("connections.new")}
        </Button>
      ) : null}
      {creating ? (
        <ConnectionDialog
          types={types}
          project={project}
          onClose={() => setCreating(false)}
          onDone={(name) => {
            setCreating(false);
            set(name);
            ask({ requestPolicy: "network-only" });
          }}
        />
      ) : null}
    </div>
  );
}
