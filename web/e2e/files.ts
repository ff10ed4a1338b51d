import type { Forge } from "./forge";

/** Bytes that are no text, and more than one piece of them. */
export const BYTES = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * 31 + (index >> 8)) % 256));

/** A workflow whose webhook keeps what is sent as a file. Says where to send it. */
export async function hook(forge: Forge, name: string): Promise<string> {
  await forge.publish(name, {
    nodes: {
      hook: { type: "trigger.webhook@1", config: { body: "file" } },
      twice: { type: "data.set@1", config: { value: ["{{ input.body }}", "{{ input.body }}"] } },
    },
    edges: [{ from: "hook", to: "twice" }],
  });
  const { workflow } = await forge.ask<{
    workflow: { triggerBindings: { webhook: { urls: { path: string }[] } }[] };
  }>("query($name: String!) { workflow(name: $name) { triggerBindings { webhook { urls { path } } } } }", { name });
  return `${forge.url}${workflow.triggerBindings[0]?.webhook.urls[0]?.path}`;
}

/** Sends the bytes there, and says which run began with them. */
export async function send(address: string, name: string, mediaType = "image/x-noise"): Promise<string> {
  const answer = await fetch(address, {
    method: "POST",
    headers: {
      "content-type": mediaType,
      "content-disposition": `attachment; filename*=UTF-8''${encodeURIComponent(name)}`,
    },
    body: BYTES,
  });
  return ((await answer.json()) as { runId: string }).runId;
}
