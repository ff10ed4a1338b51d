import type { Client } from "urql";
import { inWords } from "@/api/errors";
import { refusalIn } from "@/api/refusal";
import type { Json } from "@/canvas/model/json";
import { isObject } from "@/canvas/model/json";
import { graphql } from "@/gql";
import { isMediaType } from "./mediaType";

const CreateUpload = graphql(`
  mutation CreateArtifactUpload($input: CreateArtifactUploadInput!) {
    createArtifactUpload(input: $input) {
      upload { token method url headers { name value } }
      userErrors { code message field }
    }
  }
`);

const CompleteUpload = graphql(`
  mutation CompleteArtifactUpload($input: CompleteArtifactUploadInput!) {
    completeArtifactUpload(input: $input) { artifact { id size } userErrors { code message field } }
  }
`);

/** Why a file was not sent, as the server says it; without words when it said nothing. */
export class UploadError extends Error {}

interface Wish {
  file: File;
  /** The slug of the project whose runs may use it. */
  project: string;
  signal: AbortSignal;
  onProgress: (bytes: number) => void;
}

/** Sends a file, and says under which id runs find it. */
export async function upload(client: Client, { file, project, signal, onProgress }: Wish): Promise<string> {
  const place = await placeFor(client, file, project);
  signal.throwIfAborted();
  await put(place, file, signal, onProgress);
  const answer = await client.mutation(CompleteUpload, { input: { token: place.token } }).toPromise();
  const artifact = answer.data?.completeArtifactUpload.artifact;
  if (!artifact) throw new UploadError(refusalIn(answer));
  return artifact.id;
}

/** Where the bytes go: always through this server, for pages send nothing elsewhere. */
async function placeFor(client: Client, file: File, project: string) {
  const named = { name: file.name, project, ...(isMediaType(file.type) ? { mediaType: file.type } : {}) };
  // With its size, what is too large is refused before a byte is sent; without it, a bucket takes nothing directly.
  for (const input of [{ ...named, size: file.size }, named]) {
    const answer = await client.mutation(CreateUpload, { input }).toPromise();
    const place = answer.data?.createArtifactUpload.upload;
    if (!place) throw new UploadError(refusalIn(answer));
    if (place.url.startsWith("/")) return place;
  }
  throw new UploadError();
}

interface Place {
  method: string;
  url: string;
  headers: readonly { name: string; value: string }[];
}

/** Puts the bytes there. `fetch` would not say how far it is. */
function put({ method, url, headers }: Place, file: File, signal: AbortSignal, onProgress: (bytes: number) => void) {
  return new Promise<void>((resolve, reject) => {
    const request = new XMLHttpRequest();
    const stop = () => request.abort();
    const settle = (why?: unknown) => {
      signal.removeEventListener("abort", stop);
      if (why === undefined) resolve();
      else reject(why);
    };
    request.open(method, url);
    for (const { name, value } of headers) request.setRequestHeader(name, value);
    request.upload.addEventListener("progress", ({ loaded }) => onProgress(loaded));
    request.addEventListener("load", () =>
      settle(request.status < 300 ? undefined : new UploadError(problemOf(request))),
    );
    request.addEventListener("error", () => settle(new UploadError()));
    request.addEventListener("abort", () => settle(signal.reason));
    signal.addEventListener("abort", stop);
    request.send(file);
  });
}

function problemOf(request: XMLHttpRequest): string {
  try {
    const problem = JSON.parse(request.responseText) as Json;
    if (isObject(problem) && typeof problem.detail === "string") {
      return inWords({ code: String(problem.code), message: problem.detail });
    }
  } catch {
    // A proxy before the server answers with something else.
  }
  return `HTTP ${request.status}`;
}
