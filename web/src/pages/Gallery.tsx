import { ArrowRight, PlugZap } from "lucide-react";
import { useState } from "react";
import { useNavigate } from "react-router";
import { useClient } from "urql";
import { useT } from "@/i18n";
import { Button } from "@/ui/Button";
import { inline } from "@/ui/inline";
import github from "../../../examples/github.flow.yaml";
import hello from "../../../examples/hello.flow.yaml";
import airports from "../../../examples/import.flow.yaml";
import order from "../../../examples/order.flow.yaml";
import tour from "../../../examples/tour.flow.yaml";
import { freeName, startTour } from "./gallery";

const EXAMPLES = [hello, order, airports, github] as const;

interface Props {
  /** May make workflows. */
  mayEdit: boolean;
}

/** The examples that FlowForge comes with, and the tour that pulls the plug. */
export function Gallery({ mayEdit }: Props) {
  const t = useT();
  const client = useClient();
  const navigate = useNavigate();
  const [busy, setBusy] = useState(false);
  const [refused, setRefused] = useState<string>();
  const attempt = async (work: () => Promise<string>) => {
    setBusy(true);
    setRefused(undefined);
    try {
      navigate(await work());
    } catch (error) {
      setRefused(error instanceof Error ? error.message : String(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <section aria-labelledby="gallery" className="mt-6">
      <h2 id="gallery" className="mb-2 font-semibold text-section">
        {t("gallery.title")}
      </h2>
      <div className="grid grid-cols-2 gap-3 max-md:grid-cols-1">
        <article className="flex flex-col gap-2 rounded-lg border border-accent bg-surface p-4">
          <h3 className="flex items-center gap-2 font-semibold">
            <PlugZap size={18} aria-hidden className="text-accent" />
            {t("tour.title")}
          </h3>
          <p className="flex-1 text-soft">{t("gallery.tour.help")}</p>
          <div>
            <Button
              look="primary"
              disabled={busy || !mayEdit}
              onClick={() => void attempt(() => startTour(client, tour))}
            >
              {t("gallery.tour.start")}
            </Button>
          </div>
        </article>
        {EXAMPLES.map(({ metadata, definition }) => (
          <article key={metadata.name} className="flex flex-col gap-2 rounded-lg border border-line bg-surface p-4">
            <h3 className="font-semibold">{metadata.title}</h3>
            <p className="flex-1 text-soft">{inline(t(`gallery.${metadata.name}` as "gallery.hello"))}</p>
            <p className="flex flex-wrap items-center gap-1 text-badge text-soft">
              {Object.keys(definition.nodes)
                .slice(0, 5)
                .map((key, index) => (
                  <span key={key} className="inline-flex items-center gap-1">
                    {index > 0 ? <ArrowRight size={10} aria-hidden /> : null}
                    <span className="rounded bg-raised px-1.5 font-mono">{key}</span>
                  </span>
                ))}
              {Object.keys(definition.nodes).length > 5 ? <span>…</span> : null}
            </p>
            <div>
              <Button
                disabled={busy || !mayEdit}
                aria-label={t("gallery.openOne", { title: metadata.title })}
                onClick={() =>
                  void attempt(async () => `/workflows/default/${await freeName(client, metadata, definition)}`)
                }
              >
                {t("workflows.open")}
              </Button>
            </div>
          </article>
        ))}
      </div>
      {refused ? (
        <p role="alert" className="mt-2 text-failed">
          {refused}
        </p>
      ) : null}
    </section>
  );
}
