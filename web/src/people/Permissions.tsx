import { useT } from "@/i18n";

/** The words of what a role allows. */
export function Permissions({ words }: { words: readonly string[] }) {
  const t = useT();
  return (
    <div>
      <p className="mb-1 text-small text-soft">{t("roles.allows")}</p>
      <ul className="flex flex-wrap gap-1">
        {words.map((word) => (
          <li key={word} className="rounded bg-raised px-1.5 font-mono text-badge">
            {word}
          </li>
        ))}
      </ul>
    </div>
  );
}
