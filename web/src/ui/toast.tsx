import { create } from "zustand";
import { useT } from "@/i18n";
import { Button } from "./Button";

interface Toast {
  id: number;
  text: string;
  action?: { label: string; run: () => void };
}

interface Toasts {
  shown: Toast[];
  show: (text: string, action?: Toast["action"]) => void;
  hide: (id: number) => void;
}

let last = 0;

/** Short messages that go away by themselves. */
export const useToasts = create<Toasts>()((set, get) => ({
  shown: [],
  show: (text, action) => {
    last += 1;
    const id = last;
    set({ shown: [...get().shown.slice(-2), { id, text, ...(action ? { action } : {}) }] });
    window.setTimeout(() => get().hide(id), action ? 12_000 : 6_000);
  },
  hide: (id) => set({ shown: get().shown.filter((toast) => toast.id !== id) }),
}));

/** Where short messages appear; read out politely. */
export function Toasts() {
  const { shown, hide } = useToasts();
  const t = useT();
  return (
    <div role="status" className="pointer-events-none fixed inset-x-0 bottom-4 z-50 flex flex-col items-center gap-2">
      {shown.map((toast) => (
        <div
          key={toast.id}
          className="pointer-events-auto flex max-w-[92vw] items-center gap-3 rounded-lg border border-line bg-surface px-3 py-2 shadow-lg"
        >
          <span>{toast.text}</span>
          {toast.action ? (
            <Button
              onClick={() => {
                toast.action?.run();
                hide(toast.id);
              }}
            >
              {toast.action.label}
            </Button>
          ) : null}
          <Button look="quiet" onClick={() => hide(toast.id)}>
            {t("action.dismiss")}
          </Button>
        </div>
      ))}
    </div>
  );
}
