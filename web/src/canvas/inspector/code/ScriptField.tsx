import { lazy, Suspense } from "react";
import { Field, inputLook } from "@/ui/Field";
import type { Scope } from "../expression/types";

const ScriptEditor = lazy(() => import("./ScriptEditor"));

interface Props {
  label: string;
  value: string;
  onChange: (value: string) => void;
  scope: () => Scope;
  types: string;
  help?: string | undefined;
  error?: string | undefined;
  required?: boolean;
  readOnly?: boolean;
}

/** A field for a script. The editor is loaded when the first such field is shown. */
export function ScriptField({ label, help, error, required, readOnly = false, ...rest }: Props) {
  // No field to type into: what was typed before the editor is there would be lost.
  const waiting = <div aria-busy="true" className={`${inputLook} min-h-48 py-1.5`} />;
  return (
    <Field label={label} help={help} error={error} required={required ?? false}>
      {({ id, describedBy, invalid }) => (
        <Suspense fallback={waiting}>
          <ScriptEditor
            id={id}
            label={label}
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
