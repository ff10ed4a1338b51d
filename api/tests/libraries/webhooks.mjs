// Signs or verifies a delivery with the library of Standard Webhooks. Standard input is a JSON object: for `sign`
// {secret, id, seconds, body}, for `verify` {secret, headers, body}. Prints the signature, or `ok` or `refused`.
import { Webhook } from "standardwebhooks";

const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const { secret, id, seconds, headers, body } = JSON.parse(Buffer.concat(chunks).toString());
const webhook = new Webhook(secret);
if (process.argv[2] === "sign") {
  process.stdout.write(webhook.sign(id, new Date(seconds * 1000), body));
} else {
  try {
    webhook.verify(body, headers);
    process.stdout.write("ok");
  } catch {
    process.stdout.write("refused");
  }
}
