import { useSettings } from "@/app/settings";
import { BINDINGS, written } from "@/canvas/interaction/keymap";
import { type MessageKey, useT } from "@/i18n";
import { Dialog } from "@/ui/Dialog";

/** All keys, and the switch for those that are single letters. */
export function KeysDialog({ onClose }: { onClose: () => void }) {
  const t = useT();
  const { letterKeys, set } = useSettings();
  const actions = [...new Set(BINDINGS.map(({ action }) => action))];
  return (
    <Dialog title={t("keys.title")} onClose={onClose}>
      <label className="mb-3 flex items-center gap-2">
        <input type="checkbox" checked={letterKeys} onChange={(event) => set({ letterKeys: event.target.checked })} />
        {t("keys.letters")}
      </label>
      <dl className="grid grid-cols-[1fr_auto] gap-x-4 gap-y-1">
        {actions.map((action) => (
          <div key={action} className="contents">
            <dt>{t(`key.${action}` as MessageKey)}</dt>
            <dd className="font-mono text-small text-soft">
              {BINDINGS.filter((binding) => binding.action === action)
                .map(written)
                .join(", ")}
            </dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
