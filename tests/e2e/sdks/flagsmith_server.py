"""Writes and signs JSON values as a Flagsmith server does with the body of its webhook.

Standard input holds a JSON object: `secret` and `values`. Standard output gets `body` and `signature` of each value.
"""

import hashlib
import hmac
import json
import sys

given = json.load(sys.stdin)
bodies = [json.dumps(value, sort_keys=True) for value in given["values"]]
made = [
    {"body": body, "signature": hmac.new(given["secret"].encode(), body.encode(), hashlib.sha256).hexdigest()}
    for body in bodies
]
json.dump(made, sys.stdout)
