import { useCallback } from "react";
import { useClient } from "urql";
import { outputIn } from "@/canvas/inspector/lastRun";
import { pinFrom, pinOf, pinsFit, setPin } from "@/canvas/model/pins";
import type { CanvasStore } from "@/canvas/store";
import { useT } from "@/i18n";
import { useToasts } from "@/ui/toast";

/** Pins what a node gave in the last run, or takes its pin away; by one key. */
export function usePin(store: CanvasStore, runId: string | null): (key: string) => Promise<void> {
  const t = useT();
  const client = useClient();
  const toast = useToasts((toasts) => toasts.show);
  return useCallback(
    async (key) => {
      const { apply } = store.getState();
      if (pinOf(store.getState().document, key)) {
        return apply(t("did.unpin"), (before) => setPin(before, key, undefined));
      }
      const sample = runId === null ? undefined : await outputIn(client, runId, key);
      if (sample?.redacted) return toast(t("pin.redacted"));
      if (sample?.value === undefined) return toast(t("pin.nothing"));
      const pin = pinFrom(sample.value, sample.port);
      if (!pinsFit(store.getState().document, key, pin)) return toast(t("pin.tooLarge"));
      apply(t("did.pin"), (before) => setPin(before, key, pin));
    },
    [store, runId, client, t, toast],
  );
}
