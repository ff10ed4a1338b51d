import {
  type InputHTMLAttributes,
  type ReactNode,
  type SelectHTMLAttributes,
  type TextareaHTMLAttributes,
  useId,
} from "react";
import { inline } from "./inline";

/** How anything looks that can be typed into. */
export const inputLook =
  "w-full rounded-md border border-field bg-surface px-2 text-text placeholder:text-soft aria-[invalid=true]:border-failed";

interface FieldProps {
  label: string;
  help?: string | undefined;
  error?: string | undefined;
  required?: boolean;
  action?: ReactNode;
  children: (ids: { id: string; describedBy: string | undefined; invalid: boolean }) => ReactNode;
}

/** A label, something to type into, help and what is wrong with it, joined for screen readers. */
export function Field({ label, help, error, required = false, action, children }: FieldProps) {
  const id = useId();
  const describedBy = [help ? `${id}-help` : "", error ? `${id}-error` : ""].filter(Boolean).join(" ") || undefined;
  return (
    <div className="flex flex-col gap-1">
      <div className="flex items-center justify-between gap-2">
        <label htmlFor={id} className="font-medium">
          {label}
          {required ? (
            <span className="text-failed" aria-hidden>
              {" *"}
            </span>
          ) : null}
        </label>
        {action}
      </div>
      {children({ id, describedBy, invalid: error !== undefined })}
      {error ? (
        <p id={`${id}-error`} className="text-failed text-small">
          {error}
        </p>
      ) : null}
      {help ? (
        <p id={`${id}-help`} className="text-small text-soft">
          {inline(help)}
        </p>
      ) : null}
    </div>
  );
}

interface TextFieldProps extends Omit<InputHTMLAttributes<HTMLInputElement>, "onChange"> {
  label: string;
  help?: string | undefined;
  error?: string | undefined;
  onChange: (value: string) => void;
}

/** One line of text. */
export function TextField({ label, help, error, onChange, required, className = "", ...rest }: TextFieldProps) {
  return (
    <Field label={label} help={help} error={error} required={required ?? false}>
      {({ id, describedBy, invalid }) => (
        <input
          id={id}
          aria-describedby={describedBy}
          aria-invalid={invalid}
          required={required}
          className={`${inputLook} h-8 max-sm:h-11 ${className}`}
          onChange={(event) => onChange(event.target.value)}
          {...rest}
        />
      )}
    </Field>
  );
}

interface AreaProps extends Omit<TextareaHTMLAttributes<HTMLTextAreaElement>, "onChange"> {
  label: string;
  help?: string | undefined;
  error?: string | undefined;
  onChange: (value: string) => void;
}

/** Several lines of text, in the type of code. */
export function TextArea({ label, help, error, onChange, className = "", ...rest }: AreaProps) {
  return (
    <Field label={label} help={help} error={error}>
      {({ id, describedBy, invalid }) => (
        <textarea
          id={id}
          aria-describedby={describedBy}
          aria-invalid={invalid}
          spellCheck={false}
          className={`${inputLook} py-1.5 font-mono text-[12.5px] leading-[18px] ${className}`}
          onChange={(event) => onChange(event.target.value)}
          {...rest}
        />
      )}
    </Field>
  );
}

interface SelectProps extends Omit<SelectHTMLAttributes<HTMLSelectElement>, "onChange"> {
  label: string;
  help?: string | undefined;
  error?: string | undefined;
  options: readonly (readonly [value: string, label: string])[];
  onChange: (value: string) => void;
}

/** One of a few. */
export function Select({ label, help, error, options, onChange, ...rest }: SelectProps) {
  return (
    <Field label={label} help={help} error={error}>
      {({ id, describedBy, invalid }) => (
        <select
          id={id}
          aria-describedby={describedBy}
          aria-invalid={invalid}
          className={`${inputLook} h-8 max-sm:h-11`}
          onChange={(event) => onChange(event.target.value)}
          {...rest}
        >
          {options.map(([value, text]) => (
            <option key={value} value={value}>
              {text}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

/** Yes or no. */
export function Check({
  label,
  checked,
  onChange,
}: {
  label: string;
  checked: boolean;
  onChange: (checked: boolean) => void;
}) {
  return (
    <label className="flex items-center gap-2">
      <input
        type="checkbox"
        checked={checked}
        onChange={(event) => onChange(event.target.checked)}
        className="size-4 accent-(--accent)"
      />
      {label}
    </label>
  );
}
