import { authorization, useSession } from "@/app/session";

/** Fetches a file as whoever is here, and hands it to the browser to keep; says why not otherwise. */
export async function download(address: string, name: string): Promise<string> {
  // A link would not do: it can carry neither a key nor the workspace that was chosen.
  const answer = await fetch(address, { headers: authorization(useSession.getState().key) }).catch(() => null);
  if (!answer?.ok) {
    const problem = (await answer?.json().catch(() => null)) as { detail?: string } | null;
    return problem?.detail ?? `HTTP ${answer?.status ?? 0}`;
  }
  const url = URL.createObjectURL(await answer.blob());
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
  return "";
}
