import { meaningOf, type UserError } from "@/api/errors";
import { useSettings } from "@/app/settings";
import type { PlacedProblem } from "@/canvas/model/problems";

/** What the server says: in its own words, or, where the page speaks another language, by its code with them below. */
export function Told({ code, message, className = "" }: UserError & { className?: string }) {
  const language = useSettings((settings) => settings.language);
  const meaning = meaningOf(code, language);
  if (meaning === undefined) return <span className={`block ${className}`}>{message}</span>;
  return (
    <>
      <span className={`block ${className}`}>{meaning}</span>
      <span lang="en" className="block text-small text-soft">
        {message}
      </span>
    </>
  );
}

/** The same on one line. */
export function useWords(): (error: UserError) => string {
  const language = useSettings((settings) => settings.language);
  return ({ code, message }) => {
    const meaning = meaningOf(code, language);
    return meaning === undefined ? message : `${meaning} (${message})`;
  };
}

/** What to do about a problem, as the server says it. In another language its code says that already. */
export function Hint({ problem }: { problem: PlacedProblem }) {
  const language = useSettings((settings) => settings.language);
  const isSaid = problem.place.missing !== undefined || meaningOf(problem.code, language) !== undefined;
  return problem.hint && !isSaid ? <span className="block text-small text-soft">{problem.hint}</span> : null;
}
