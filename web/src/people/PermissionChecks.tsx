import { useSettings } from "@/app/settings";
import { useT } from "@/i18n";
import { permissionMeaning } from "@/i18n/permissions";

interface Props {
  legend: string;
  help?: string;
  permissions: readonly { key: string; description: string }[];
  chosen: readonly string[];
  /** Whether it can be given by the one who asks. */
  isOffered: (permission: string) => boolean;
  onChange: (chosen: readonly string[]) => void;
}

/** Permissions to choose from. `read` is always among them: without it nothing can be named. */
export function PermissionChecks({ legend, help, permissions, chosen, isOffered, onChange }: Props) {
  const t = useT();
  const language = useSettings((settings) => settings.language);
  return (
    <fieldset>
      <legend className="font-medium">{legend}</legend>
      {help ? <p className="text-small text-soft">{help}</p> : null}
      <div className="mt-1 grid grid-cols-2 gap-x-4 max-sm:grid-cols-1">
        {permissions.map((permission) => {
          const { key } = permission;
          const disabled = key === "read" || !isOffered(key);
          return (
            <label
              key={key}
              title={disabled && key !== "read" ? t("roles.notYours") : undefined}
              className={`flex items-start gap-2 rounded-md px-1 py-1 ${disabled ? "" : "hover:bg-raised"}`}
            >
              <input
                type="checkbox"
                aria-label={key}
                aria-describedby={`about-${key}`}
                disabled={disabled}
                checked={chosen.includes(key)}
                onChange={({ target }) =>
                  onChange(
                    permissions
                      .map((one) => one.key)
                      .filter((one) => (one === key ? target.checked : chosen.includes(one))),
                  )
                }
                className="mt-0.5 size-4 shrink-0 accent-(--accent)"
              />
              <span className="min-w-0">
                <span className="block font-mono text-small">{key}</span>
                <span id={`about-${key}`} className="block text-small text-soft">
                  {permissionMeaning(language, permission)}
                </span>
              </span>
            </label>
          );
        })}
      </div>
    </fieldset>
  );
}
