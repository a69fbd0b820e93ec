"""Verifies signatures as a customer's endpoint does.

Standard input holds a JSON array of cases: `scheme`, `secret`, `headers` and `body` (base64). Standard output gets a JSON
array that says of each whether it was accepted.

`standard_webhooks` is the package of its authors. `flagsmith` is the example of Flagsmith, "Webhook Analytics
Integration", "Validating Signature". `statsig` is the same with what Statsig signs: `v0:{timestamp}:{body}`.
"""

import base64
import hashlib
import hmac
import json
import sys

from standardwebhooks import Webhook


def standard_webhooks(secret, headers, body):
    Webhook(secret).verify(body, headers, json_parse=False)
    return True


def flagsmith(secret, headers, request_body):
    expected_signature = hmac.new(
        key=secret.encode(),
        msg=request_body,
        digestmod=hashlib.sha256,
    ).hexdigest()

    received_signature = headers["x-flagsmith-signature"]
    return hmac.compare_digest(expected_signature, received_signature) is True


def statsig(secret, headers, body):
    base = b"v0:" + headers["x-statsig-request-timestamp"].encode() + b":" + body
    expected = "v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), headers["x-statsig-signature"].encode())


VERIFIERS = {"standard_webhooks": standard_webhooks, "flagsmith": flagsmith, "statsig": statsig}


def accepts(case):
    try:
        return VERIFIERS[case["scheme"]](case["secret"], case["headers"], base64.b64decode(case["body"]))
    except Exception:  # verifiers refuse by raising, and not only their own errors
        return False


json.dump([accepts(case) for case in json.load(sys.stdin)], sys.stdout)
