"""Flagpost's own HTTP API, as a client or an operator calls it."""

import http.client
import json
from urllib.parse import urlsplit

from project import Failed


class Api:
    """Calls the stack at the emulator: connects to it, and names the API in the Host header."""

    def __init__(self, endpoint, api_id):
        self.where = urlsplit(endpoint)
        self.endpoint = endpoint
        self.host = f"{api_id}.execute-api.localhost"

    def call(self, method, path, key, body=None, expect=(200, 201, 202, 204)):
        """The decoded answer; an unexpected status is a `Failed` that shows the answer."""
        headers = {"Host": f"{self.host}:{self.where.port or 80}", "Authorization": f"Bearer {key}"}
        if body is not None:
            body = json.dumps(body, separators=(",", ":")).encode()
            headers["Content-Type"] = "application/json"
        connection = http.client.HTTPConnection(self.where.hostname, self.where.port or 80, timeout=60)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            said = answer.read()
        except OSError as error:
            raise Failed(f"{method} {path}: {error}") from error
        finally:
            connection.close()
        if answer.status not in expect:
            raise Failed(f"{method} {path} was answered {answer.status}: {said[:2000].decode(errors='replace')}")
        try:
            return json.loads(said) if said else None
        except ValueError as error:
            raise Failed(f"{method} {path}: the answer is not JSON: {said[:200]!r}") from error
