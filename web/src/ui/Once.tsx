import { Check, Copy } from "lucide-react";
import { useRef, useState } from "react";
import { useT } from "@/i18n";
import { Button } from "./Button";
import { Field, inputLook } from "./Field";

/** Something that is shown this once, to be copied. */
export function Once({ label, help, value }: { label: string; help: string; value: string }) {
  const t = useT();
  const [copied, setCopied] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const copy = async () => {
    input.current?.select();
    // Without a secure origin a browser has no clipboard for pages; the text is chosen for copying by hand.
    await navigator.clipboard?.writeText(value).then(
      () => setCopied(true),
      () => undefined,
    );
  };
  return (
    <Field label={label} help={help}>
      {({ id, describedBy }) => (
        <div className="flex gap-2">
          <input
            ref={input}
            id={id}
            aria-describedby={describedBy}
            readOnly
            spellCheck={false}
            value={value}
            onFocus={(event) => event.currentTarget.select()}
            className={`${inputLook} h-8 min-w-0 flex-1 font-mono max-sm:h-11`}
          />
          <Button
            icon={copied ? <Check size={14} aria-hidden /> : <Copy size={14} aria-hidden />}
            onClick={() => void copy()}
          >
            <span aria-live="polite">{t(copied ? "once.copied" : "once.copy")}</span>
          </Button>
        </div>
      )}
    </Field>
  );
}
