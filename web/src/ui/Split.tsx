import { type KeyboardEvent, type PointerEvent, type ReactNode, useRef } from "react";
import { useSettings } from "@/app/settings";

const LEAST = 320;
/** What a panel takes of the window until somebody says otherwise: enough for data beside fields, where there is room. */
const usual = () => Math.min(720, Math.max(420, Math.round(window.innerWidth * 0.45)));

interface Props {
  children: ReactNode;
  /** What stands on the right; nothing when there is nothing to show. */
  side: ReactNode;
  label: string;
}

/** Two parts side by side with a bar between them that can be moved by pointer and by arrows; stacked when narrow. */
export function Split({ children, side, label }: Props) {
  const frame = useRef<HTMLDivElement>(null);
  const width = useSettings((settings) => settings.panelWidth) ?? usual();
  const most = () => Math.max(LEAST, (frame.current?.clientWidth ?? 1200) * 0.75);
  const resize = (next: number) =>
    useSettings.getState().set({ panelWidth: Math.round(Math.min(most(), Math.max(LEAST, next))) });
  const onPointerMove = (event: PointerEvent<HTMLDivElement>) => {
    if (!event.currentTarget.hasPointerCapture(event.pointerId)) return;
    resize((frame.current?.getBoundingClientRect().right ?? 0) - event.clientX);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = event.key === "ArrowLeft" ? 24 : event.key === "ArrowRight" ? -24 : 0;
    if (step === 0) return;
    event.preventDefault();
    event.stopPropagation();
    resize(width + step);
  };
  return (
    <div ref={frame} className="flex h-full min-h-0 max-sm:flex-col">
      <div className="min-h-0 min-w-0 flex-1">{children}</div>
      {side ? (
        <>
          {/* biome-ignore lint/a11y/useSemanticElements: a rule cannot be moved */}
          <div
            role="separator"
            aria-orientation="vertical"
            aria-label={label}
            aria-valuenow={width}
            aria-valuemin={LEAST}
            aria-valuemax={2000}
            tabIndex={0}
            onKeyDown={onKeyDown}
            onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
            onPointerMove={onPointerMove}
            className="w-1.5 shrink-0 cursor-col-resize border-line border-l bg-surface hover:bg-accent-soft max-sm:hidden"
          />
          <div
            style={{ "--side": `${width}px` } as React.CSSProperties}
            className="min-h-0 w-(--side) max-w-[75%] shrink-0 max-sm:h-[60%] max-sm:w-full max-sm:max-w-none max-sm:border-line max-sm:border-t"
          >
            {side}
          </div>
        </>
      ) : null}
    </div>
  );
}
