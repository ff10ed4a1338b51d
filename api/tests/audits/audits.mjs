// Runs the audits of graphql-http against a server and prints one line each: status, id, name.
// Usage: FLOWFORGE_API_KEY=ff_… node audits.mjs http://127.0.0.1:8080/graphql
import { serverAudits } from 'graphql-http';

const [url] = process.argv.slice(2);
const authorized = (address, init = {}) => {
  const headers = new Headers(init.headers);
  headers.set('authorization', `Bearer ${process.env.FLOWFORGE_API_KEY}`);
  return fetch(address, { ...init, headers });
};

for (const audit of serverAudits({ url, fetchFn: authorized })) {
  const result = await audit.fn();
  const reason = result.status === 'ok' ? '' : `\t${String(result.reason).replaceAll(/\s+/g, ' ')}`;
  // A body that nobody reads keeps its connection open.
  await result.response?.body?.cancel().catch(() => {});
  console.log(`${result.status}\t${audit.id}\t${audit.name}${reason}`);
}
