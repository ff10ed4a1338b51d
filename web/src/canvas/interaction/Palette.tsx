import { type ReactNode, useEffect, useId, useMemo, useRef, useState } from "react";
import { useT } from "@/i18n";
import { Dialog } from "@/ui/Dialog";
import { inputLook } from "@/ui/Field";
import { type Choice, found } from "./search";

export type { Choice } from "./search";

interface Props {
  title: string;
  choices: readonly (Choice & { icon?: ReactNode; hint?: string })[];
  onChoose: (id: string) => void;
  onClose: () => void;
}

/** Chooses one of many by typing: a combobox with its list, in a dialog. */
export function Palette({ title, choices, onChoose, onClose }: Props) {
  const t = useT();
  const id = useId();
  const [query, setQuery] = useState("");
  const [active, setActive] = useState(0);
  const list = useMemo(() => found(choices, query), [choices, query]);
  const current = list[Math.min(active, list.length - 1)];
  const options = useRef<HTMLDivElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: whatever becomes current must be in sight
  useEffect(() => {
    options.current?.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
  }, [current?.id]);
  const choose = (choice: Choice | undefined) => {
    if (!choice) return;
    onClose();
    onChoose(choice.id);
  };
  return (
    <Dialog title={title} onClose={onClose}>
      <input
        autoFocus
        role="combobox"
        aria-expanded="true"
        aria-controls={`${id}-list`}
        aria-activedescendant={current ? `${id}-${current.id}` : undefined}
        aria-label={title}
        placeholder={t("palette.search")}
        value={query}
        className={`${inputLook} h-9`}
        onChange={(event) => {
          setQuery(event.target.value);
          setActive(0);
        }}
        onKeyDown={(event) => {
          const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
          if (step !== 0) {
            event.preventDefault();
            setActive((Math.min(active, list.length - 1) + step + list.length) % Math.max(1, list.length));
          }
          if (event.key === "Enter") {
            event.preventDefault();
            choose(current);
          }
        }}
      />
      <div
        ref={options}
        id={`${id}-list`}
        aria-label={title}
        className="mt-2 max-h-[52vh] overflow-auto"
        role="listbox"
      >
        {list.map((choice, index) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: keys are handled by the field above, which keeps the focus
          <div
            key={choice.id}
            id={`${id}-${choice.id}`}
            role="option"
            tabIndex={-1}
            aria-selected={choice === current}
            onClick={() => choose(choice)}
            onPointerMove={() => setActive(index)}
            className="flex cursor-pointer items-center gap-2.5 rounded-md px-2 py-1.5 aria-selected:bg-accent-soft"
          >
            {choice.icon}
            <span className="min-w-0 flex-1">
              <span className="block truncate font-medium">{choice.title}</span>
              {choice.detail ? <span className="block truncate text-small text-soft">{choice.detail}</span> : null}
            </span>
            {choice.hint ? <kbd className="font-sans text-badge text-soft">{choice.hint}</kbd> : null}
          </div>
        ))}
      </div>
      {list.length === 0 ? <p className="p-3 text-soft">{t("palette.none", { query })}</p> : null}
    </Dialog>
  );
}
