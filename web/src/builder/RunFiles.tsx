import { File as FileIcon, Plus, X } from "lucide-react";
import { type ReactNode, useRef } from "react";
import { useSettings } from "@/app/settings";
import { type FileField, freeName } from "@/files/fields";
import { size } from "@/files/size";
import { clashes, type Upload, type useUploads } from "@/files/useUploads";
import { useT } from "@/i18n";
import { Button, IconButton } from "@/ui/Button";
import { inputLook } from "@/ui/Field";

/** Most files that one run is started with. */
const MOST_FILES = 20;

interface Props {
  /** The files that the schema of the input asks for. */
  fields: readonly FileField[];
  /** Members that the input has anyway. */
  taken: readonly string[];
  files: ReturnType<typeof useUploads>;
}

/** The files that a run is started with: those that its input asks for, and any others. */
export function RunFiles({ fields, taken, files }: Props) {
  const t = useT();
  const { uploads, send, remove, rename } = files;
  const others = uploads.filter(({ id }) => !fields.some(({ name }) => name === id));
  const count = useRef(0);
  const names = [...taken, ...fields.map(({ name }) => name), ...uploads.map(({ field }) => field)];
  return (
    <fieldset className="flex min-w-0 flex-col gap-2">
      <legend className="mb-1 font-medium">{t("files.title")}</legend>
      {fields.map(({ name, title, isRequired }) => (
        <div key={name} className="flex min-w-0 flex-col gap-1">
          <p className="text-small">
            {title}
            {title === name ? null : <span className="font-mono text-soft"> {name}</span>}
            {isRequired ? <span className="text-failed"> *</span> : null}
          </p>
          <Slot
            upload={uploads.find(({ id }) => id === name)}
            onRemove={() => remove(name)}
            choice={
              <Choose label={t("files.chooseFor", { field: title })} onChoose={(file) => void send(name, name, file)} />
            }
          />
        </div>
      ))}
      {others.map((upload) => (
        <div key={upload.id} className="flex min-w-0 flex-col gap-1">
          <label className="flex items-center gap-1 text-small">
            <span className="font-mono text-soft">input.</span>
            <input
              aria-label={t("files.member", { name: upload.name })}
              aria-invalid={clashes(upload, uploads, taken)}
              value={upload.field}
              onChange={({ target }) => rename(upload.id, target.value)}
              className={`${inputLook} h-7 w-40! font-mono max-sm:h-11`}
            />
            {clashes(upload, uploads, taken) ? <span className="text-failed">{t("files.member.taken")}</span> : null}
          </label>
          <Slot upload={upload} onRemove={() => remove(upload.id)} />
        </div>
      ))}
      {uploads.length < MOST_FILES ? (
        <Choose
          label={t("files.add")}
          icon={<Plus size={14} aria-hidden />}
          onChoose={(file) => {
            count.current += 1;
            void send(`+${count.current}`, freeName(names), file);
          }}
        />
      ) : null}
      <p className="text-small text-soft">{t("files.add.help")}</p>
    </fieldset>
  );
}

interface ChooseProps {
  label: string;
  icon?: ReactNode;
  onChoose: (file: File) => void;
}

/** A button that lets somebody choose a file of their machine. */
function Choose({ label, icon, onChoose }: ChooseProps) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <div>
      <input
        ref={input}
        type="file"
        aria-label={label}
        className="hidden"
        onChange={({ target }) => {
          const file = target.files?.[0];
          // The same one can be chosen again.
          target.value = "";
          if (file) onChoose(file);
        }}
      />
      <Button icon={icon} onClick={() => input.current?.click()}>
        {label}
      </Button>
    </div>
  );
}

interface SlotProps {
  upload: Upload | undefined;
  onRemove: () => void;
  choice?: ReactNode;
}

/** A file on its way or there, or the way to choose one. */
function Slot({ upload, onRemove, choice = null }: SlotProps) {
  const t = useT();
  const language = useSettings((settings) => settings.language);
  if (!upload) return choice;
  const { name, sent, artifactId, refused } = upload;
  const isThere = artifactId !== undefined;
  const percent = upload.size === 0 ? 100 : Math.floor((sent / upload.size) * 100);
  return (
    <div className="rounded-md border border-line bg-page px-2 py-1.5">
      <div className="flex items-center gap-2">
        <FileIcon size={16} aria-hidden className="shrink-0 text-soft" />
        <span className="min-w-0 flex-1 truncate" title={name}>
          {name}
        </span>
        <span className="shrink-0 text-small text-soft tabular-nums">{size(upload.size, language)}</span>
        <IconButton
          label={t(isThere || refused !== undefined ? "files.remove" : "files.cancel", { name })}
          onClick={onRemove}
        >
          <X size={16} aria-hidden />
        </IconButton>
      </div>
      {refused === undefined ? null : (
        <p role="alert" className="text-failed text-small">
          {t("files.notSent", { why: refused })}
        </p>
      )}
      {isThere ? (
        <p role="status" className="text-small text-succeeded">
          {t("files.sent")}
        </p>
      ) : refused === undefined ? (
        <div className="flex items-center gap-2 text-small text-soft tabular-nums">
          <progress
            aria-label={t("files.sending", { name })}
            max={100}
            value={percent}
            className="h-1.5 min-w-0 flex-1 appearance-none overflow-hidden rounded-full bg-raised [&::-moz-progress-bar]:bg-accent [&::-webkit-progress-bar]:bg-raised [&::-webkit-progress-value]:bg-accent"
          />
          {percent} %
        </div>
      ) : null}
    </div>
  );
}
