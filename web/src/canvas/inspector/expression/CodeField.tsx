import { lazy, Suspense } from "react";
import { Field, inputLook } from "@/ui/Field";
import type { Scope } from "./types";

const Editor = lazy(() => import("./Editor"));

interface Props {
  label: string;
  value: string;
  onChange: (value: string) => void;
  scope: () => Scope;
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
  const waiting = (
    <textarea aria-label={label} readOnly value={value} rows={1} className={`${inputLook} py-1.5 font-mono`} />
  );
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
