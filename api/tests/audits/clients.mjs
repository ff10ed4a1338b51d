// Speaks to a server with the clients of graphql-sse and graphql-ws, as somebody's web page would.
// Usage: FLOWFORGE_API_KEY=ff_… node clients.mjs http://127.0.0.1:8080/graphql
import assert from 'node:assert/strict';
import { createClient as createSse } from 'graphql-sse';
import { createClient as createWs } from 'graphql-ws';
import WebSocket from 'ws';

const [url] = process.argv.slice(2);
const authorization = `Bearer ${process.env.FLOWFORGE_API_KEY}`;
const clients = {
  sse: createSse({ url, headers: { authorization }, retryAttempts: 0 }),
  ws: createWs({ url: url.replace('http', 'ws'), webSocketImpl: WebSocket, connectionParams: { authorization }, retryAttempts: 0 }),
};

for (const [name, client] of Object.entries(clients)) {
  const answers = async (query) => {
    const received = [];
    for await (const answer of client.iterate({ query })) received.push(answer);
    return received;
  };

  assert.deepEqual(await answers('{ viewer { role } }'), [{ data: { viewer: { role: 'ADMIN' } } }], name);

  const feed = 'subscription { workspaceEvents { cursor seq payload { __typename } } }';
  for await (const { data, errors } of client.iterate({ query: feed })) {
    assert.equal(errors, undefined, name);
    assert.equal(data.workspaceEvents.payload.__typename, 'CaughtUp', name);
    break;
  }

  const run = 'subscription { runEvents(runId: "run_01920000000070008000000000000001") { cursor } }';
  const refused = await answers(run).then(
    ([answer]) => answer.errors,
    (errors) => errors,
  );
  assert.equal(refused[0].extensions.code, 'NOT_FOUND', name);

  client.dispose();
  console.log(`${name} ok`);
}
