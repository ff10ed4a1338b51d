import type { CombinedError } from "@urql/core";
import { useState } from "react";
import { inWords, messageOf, refusalOf, type UserError } from "./errors";

interface Fault extends UserError {
  field: readonly string[];
}

interface Answer {
  error?: CombinedError | undefined;
  data?: unknown;
}

/** What a change was refused for: each mutation says it beside what it gives. */
export function faultsOf({ data }: Answer): readonly Fault[] {
  const payloads = Object.values((data ?? {}) as Record<string, { userErrors?: readonly Fault[] } | string>);
  return payloads.flatMap((payload) => (typeof payload === "object" ? (payload?.userErrors ?? []) : []));
}

/** Why a change was refused, in words; empty when it was made. */
export function refusalIn(answer: Answer): string {
  return answer.error ? messageOf(answer.error) : refusalOf(faultsOf(answer));
}

/** Why the last change was refused: beside the fields that are at fault, the rest as a whole. */
export function useRefusal(...fields: readonly string[]) {
  const [answer, setAnswer] = useState<Answer>({});
  const faults = faultsOf(answer);
  const isAt = (fault: Fault, field: string) => fault.field.at(-1) === field;
  return {
    /** Keeps what came of a change; true when it was made. */
    settle: (came: Answer) => {
      setAnswer(came);
      return refusalIn(came) === "";
    },
    at: (field: string) => {
      const fault = faults.find((one) => isAt(one, field));
      return fault && inWords(fault);
    },
    rest: answer.error
      ? messageOf(answer.error)
      : refusalOf(faults.filter((fault) => !fields.some((field) => isAt(fault, field)))),
  };
}
