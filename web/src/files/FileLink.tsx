import { Download, File as FileIcon, LoaderCircle } from "lucide-react";
import { type MouseEvent, useState } from "react";
import { isLinkEnough } from "@/app/session";
import { useSettings } from "@/app/settings";
import { useT } from "@/i18n";
import { useToasts } from "@/ui/toast";
import { download } from "./download";
import { size } from "./size";
import type { RunFile } from "./useFiles";

const LOOKS = {
  button:
    "inline-flex h-8 items-center gap-1.5 whitespace-nowrap rounded-md border border-line bg-surface px-3 font-medium hover:bg-raised max-sm:h-11",
  icon: "inline-flex size-6 shrink-0 items-center justify-center rounded text-accent hover:bg-raised max-sm:size-11",
  text: "inline-flex h-6 items-center gap-1 whitespace-nowrap rounded px-1.5 text-accent text-small hover:bg-raised max-sm:h-11",
};

interface LinkProps {
  file: Pick<RunFile, "name" | "contentPath">;
  look?: keyof typeof LOOKS;
  /** What it says instead of the file's name. */
  label?: string;
}

/** The way to a file's bytes. A link, so that the browser fetches what may be large; where one is not enough, the page does. */
export function FileLink({ file, look = "button", label }: LinkProps) {
  const t = useT();
  const toast = useToasts((toasts) => toasts.show);
  const [fetching, setFetching] = useState(false);
  const go = async (event: MouseEvent) => {
    if (isLinkEnough()) return;
    event.preventDefault();
    if (fetching) return;
    setFetching(true);
    const refused = await download(file.contentPath, file.name);
    setFetching(false);
    if (refused) toast(t("files.refused", { name: file.name, why: refused }));
  };
  const Icon = fetching ? LoaderCircle : Download;
  const name = label ?? t("files.downloadOne", { name: file.name });
  return (
    <a
      href={file.contentPath}
      download={file.name}
      aria-label={name}
      aria-busy={fetching}
      title={name}
      onClick={(event) => void go(event)}
      className={LOOKS[look]}
    >
      <Icon size={14} aria-hidden className={fetching ? "animate-spin motion-reduce:animate-none" : ""} />
      {look === "icon" ? null : (label ?? t("files.download"))}
    </a>
  );
}

/** A file in a line of something else: what it is called, what it says it is, how large it is, and the way to it. */
export function FileChip({ file }: { file: RunFile }) {
  const language = useSettings((settings) => settings.language);
  return (
    <span className="inline-flex min-w-0 max-w-full items-center gap-1.5 font-sans">
      <FileIcon size={14} aria-hidden className="shrink-0 text-soft" />
      <span className="truncate font-medium text-text" title={file.name}>
        {file.name}
      </span>
      <span className="truncate text-soft" title={file.mediaType}>
        {file.mediaType}
      </span>
      <span className="shrink-0 text-soft tabular-nums">{size(file.size, language)}</span>
      <FileLink file={file} look="icon" />
    </span>
  );
}
