import { useMemo } from "react";
import { type Language, useSettings } from "@/app/settings";
import { de } from "./de";
import { en, type MessageKey } from "./en";

export type { MessageKey } from "./en";

type Values = Readonly<Record<string, string | number>>;

const languages: Record<Language, Readonly<Record<MessageKey, string>>> = { en, de };

/** The text of a message, with `{name}` replaced by its value. `{count|one|many}` chooses by number. */
export function translate(language: Language, key: MessageKey, values: Values = {}): string {
  return languages[language][key].replace(/\{(\w+)(?:\|([^|}]*)\|([^}]*))?\}/g, (_, name: string, one, many) => {
    const value = values[name] ?? "";
    if (one === undefined) return String(value);
    return `${value} ${new Intl.PluralRules(language).select(Number(value)) === "one" ? one : many}`;
  });
}

/** Looks messages up in the language of this browser's user. */
export type Translate = (key: MessageKey, values?: Values) => string;

/** The messages in the chosen language. */
export function useT(): Translate {
  const language = useSettings((settings) => settings.language);
  return useMemo(() => (key, values) => translate(language, key, values), [language]);
}
