import { X } from "lucide-react";
import { type ReactNode, useEffect, useId, useRef } from "react";
import { useT } from "@/i18n";
import { IconButton } from "./Button";

interface Props {
  title: string;
  onClose: () => void;
  children: ReactNode;
  footer?: ReactNode;
  wide?: boolean;
  /** Set when there is no way around the dialog. */
  blocking?: boolean;
}

/** A dialog over the page; the browser keeps the focus in it and gives it back. */
export function Dialog({ title, onClose, children, footer, wide = false, blocking = false }: Props) {
  const element = useRef<HTMLDialogElement>(null);
  const heading = useId();
  const t = useT();
  useEffect(() => {
    const dialog = element.current;
    if (dialog && !dialog.open) dialog.showModal();
    // The first field is what a dialog is opened for; the browser would choose the button that closes it.
    dialog?.querySelector<HTMLElement>("[data-body] :is(input, textarea, select)")?.focus();
    return () => dialog?.close();
  }, []);
  return (
    <dialog
      ref={element}
      aria-labelledby={heading}
      onCancel={(event) => {
        event.preventDefault();
        if (!blocking) onClose();
      }}
      // The canvas listens for keys as well; what is typed here is none of its business.
      onKeyDown={(event) => event.stopPropagation()}
      className={`m-auto max-h-[86vh] w-[calc(100vw-24px)] overflow-hidden rounded-xl border border-line bg-surface p-0 text-text shadow-2xl ${wide ? "max-w-3xl" : "max-w-lg"}`}
    >
      <div className="flex max-h-[86vh] flex-col">
        <header className="flex items-center justify-between gap-3 border-line border-b px-4 py-3">
          <h2 id={heading} className="font-semibold text-section">
            {title}
          </h2>
          {blocking ? null : (
            <IconButton label={t("action.close")} onClick={onClose}>
              <X size={16} aria-hidden />
            </IconButton>
          )}
        </header>
        <div data-body className="min-h-0 flex-1 overflow-auto p-4">
          {children}
        </div>
        {footer ? <footer className="flex justify-end gap-2 border-line border-t px-4 py-3">{footer}</footer> : null}
      </div>
    </dialog>
  );
}
