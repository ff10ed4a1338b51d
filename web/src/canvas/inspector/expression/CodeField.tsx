import { lazy, Suspense } from "react";
import { Field, inputLook } from "@/ui/Field";
import type { Checked } from "./check";
import type { Scope } from "./types";

const load = () => import("./Editor");
const Editor = lazy(load);

/** Fetches the editor before anybody needs it. */
export function preloadEditor(): void {
  void load();
}

interface Props {
  label: string;
  value: string;
  onChange: (value: string) => void;
  scope: () => Scope;
  /** Asks the server about an expression of this field. */
  check?: ((expression: string, cursor?: number) => Promise<Checked | undefined>) | undefined;
  language?: "template" | "json";
  help?: string | undefined;
  error?: string | undefined;
  required?: boolean;
  readOnly?: boolean;
  placeholder?: string;
  action?: React.ReactNode;
}

/** A field for text or JSON with expressions. The editor is loaded when the first such field is shown. */
export function CodeField({
  label,
  value,
  onChange,
  help,
  error,
  required,
  action,
  readOnly = false,
  language = "template",
  ...rest
}: Props) {
  // No field to type into: what was typed before the editor is there would be lost.
  const waiting = <div aria-busy="true" className={`${inputLook} min-h-8 py-1.5`} />;
  return (
    <Field label={label} help={help} error={error} required={required ?? false} action={action}>
      {({ id, describedBy, invalid }) => (
        <Suspense fallback={waiting}>
          <Editor
            id={id}
            label={label}
            value={value}
            onChange={onChange}
            language={language}
            readOnly={readOnly}
            invalid={invalid}
            describedBy={describedBy}
            {...rest}
          />
        </Suspense>
      )}
    </Field>
  );
}
