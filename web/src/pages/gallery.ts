import type { Client } from "urql";
import { messageOf, refusalOf } from "@/api/errors";
import { CreateWorkflowMutation, StartRunMutation } from "@/builder/queries";
import { graphql } from "@/gql";

const PublishExampleMutation = graphql(`
  mutation PublishExample($input: PublishWorkflowInput!) {
    publishWorkflow(input: $input) { version { id } problems { code message } userErrors { code message } }
  }
`);

interface Example {
  metadata: { name: string; title: string; description?: string };
  definition: unknown;
}

/** How many copies of one example are tried for a free name. */
const MOST_COPIES = 20;

/** Makes a workflow of an example, under the first name that is free, and says that name. */
export async function freeName(client: Client, { name, title, description }: Example["metadata"], document: unknown) {
  for (let copy = 1; copy <= MOST_COPIES; copy += 1) {
    const free = copy === 1 ? name : `${name}-${copy}`;
    const input = { name: free, title, document, ...(description ? { description } : {}) };
    const answer = await client.mutation(CreateWorkflowMutation, { input }).toPromise();
    if (answer.error) throw new Error(messageOf(answer.error));
    const payload = answer.data?.createWorkflow;
    if (payload?.workflow) return payload.workflow.name;
    if (!payload?.userErrors.every(({ code }) => code === "NAME_TAKEN")) {
      throw new Error(refusalOf(payload?.userErrors));
    }
  }
  throw new Error(`${name}-${MOST_COPIES}`);
}

/** Publishes the tour's workflow, unless it is there already, starts it, and says where to watch it. */
export async function startTour(client: Client, { metadata, definition }: Example): Promise<string> {
  const { name, title, description } = metadata;
  const input = { name, title, definition, ...(description ? { description } : {}) };
  const published = await client.mutation(PublishExampleMutation, { input }).toPromise();
  if (published.error) throw new Error(messageOf(published.error));
  const version = published.data?.publishWorkflow.version;
  if (!version) {
    const { problems, userErrors } = published.data?.publishWorkflow ?? { problems: [], userErrors: [] };
    throw new Error(refusalOf([...problems, ...userErrors]));
  }
  const start = { versionId: version.id, input: { parcels: 40, total: 130 } };
  const started = await client.mutation(StartRunMutation, { input: start }).toPromise();
  if (started.error) throw new Error(messageOf(started.error));
  const run = started.data?.startRun.run;
  if (!run) throw new Error(refusalOf(started.data?.startRun.userErrors));
  return `/runs/${run.id}?tour`;
}
