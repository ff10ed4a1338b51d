import { authorization, useSession } from "@/app/session";

/** Hands bytes to the browser to keep. */
export function save(bytes: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(bytes);
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}

/** Fetches a file as whoever is here, and hands it to the browser to keep; says why not otherwise. */
export async function download(address: string, name: string): Promise<string> {
  const answer = await fetch(address, { headers: authorization(useSession.getState().key) }).catch(() => null);
  if (!answer?.ok) {
    const problem = (await answer?.json().catch(() => null)) as { detail?: string } | null;
    return problem?.detail ?? `HTTP ${answer?.status ?? 0}`;
  }
  const bytes = await answer.blob().catch(() => null);
  if (bytes === null) return "HTTP 0";
  save(bytes, name);
  return "";
}
