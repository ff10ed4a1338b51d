import { useEffect, useState } from "react";
import { inWords } from "@/api/errors";
import { useT } from "@/i18n";
import type { Checked } from "./check";

/** How long after the last key an expression is looked at. */
const PAUSE_MS = 250;

interface Props {
  expression: string;
  check: (expression: string) => Promise<Checked | undefined>;
}

/** What an expression gives with the values of the last run, or what kind of value it will give, or what is wrong. */
export function Preview({ expression, check }: Props) {
  const t = useT();
  const [checked, setChecked] = useState<Checked>();
  useEffect(() => {
    if (expression.trim() === "") return setChecked(undefined);
    let gone = false;
    const timer = window.setTimeout(() => {
      check(expression).then(
        (answer) => gone || setChecked(answer),
        () => gone || setChecked(undefined),
      );
    }, PAUSE_MS);
    return () => {
      gone = true;
      window.clearTimeout(timer);
    };
  }, [expression, check]);
  if (!checked || expression.trim() === "") return null;
  const problem = checked.problems[0] ? inWords(checked.problems[0]) : checked.failure;
  return (
    <output
      aria-label={t("expression.preview")}
      className="max-h-24 overflow-auto rounded-md bg-raised px-2 py-1 font-mono text-small"
    >
      {problem ? (
        <span className="text-failed">{problem}</span>
      ) : checked.valueText === null || checked.valueText === undefined ? (
        <span className="text-soft">{t("expression.gives", { type: checked.typeText })}</span>
      ) : (
        <>
          <span className="text-soft">= </span>
          <span className="break-words">{checked.valueText}</span>
        </>
      )}
    </output>
  );
}
