"""Signs or verifies a delivery with the library of Standard Webhooks. Standard input is a JSON object: for `sign`
{secret, id, seconds, body}, for `verify` {secret, headers, body}. Prints the signature, or `ok` or `refused`."""

import json
import sys
from datetime import datetime, timezone

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

given = json.load(sys.stdin)
webhook = Webhook(given["secret"])
if sys.argv[1] == "sign":
    at = datetime.fromtimestamp(given["seconds"], timezone.utc)
    print(webhook.sign(given["id"], at, given["body"]), end="")
else:
    try:
        webhook.verify(given["body"], given["headers"])
        print("ok", end="")
    except WebhookVerificationError:
        print("refused", end="")
