"""A project on the deployed stack, its integrations, and the endpoints that they send to."""

import os
import secrets
import time
from collections import Counter
from urllib.parse import urlsplit

from api import Api
from receiver import Receiver

#: Far more than anything takes on a busy machine: a schedule of the stack is 100 s at most.
PATIENCE = 240
LOOK_EVERY = 0.2
#: No attempt starts later than this after a pause; see docs/api.md.
PAUSE_IS_KNOWN = 5


def until(what, look):
    """What there is to see when there is something to see."""
    deadline = time.monotonic() + PATIENCE
    while not (seen := look()):
        assert time.monotonic() < deadline, f"waited {PATIENCE} s in vain until {what}"
        time.sleep(LOOK_EVERY)
    return seen


class Stack:
    """Where the API is: for this process, and for a browser."""

    def __init__(self):
        self.key = os.environ["FLAGPOST_TEST_ADMIN_KEY"]
        endpoint = os.environ["FLAGPOST_TEST_ENDPOINT"]
        self.api = Api(endpoint, os.environ["FLAGPOST_TEST_API"])
        where = urlsplit(endpoint)
        self.url = f"{where.scheme}://{self.api.host}:{where.port or 80}"
        # API Gateway's names are the emulator's, wherever it is.
        self.browser_arguments = [f"--host-resolver-rules=MAP {self.api.host} {where.hostname}"]

    def call(self, method, path, body=None):
        return self.api.call(method, path, self.key, body)


class Shop:
    """A project with an ingest key. What is started for it ends with the test or the tests that `add_cleanup` is of."""

    def __init__(self, stack, add_cleanup):
        self.stack = stack
        self.add_cleanup = add_cleanup
        self.id = f"shop-{secrets.token_hex(4)}"
        stack.call("POST", "/v1/projects", {"id": self.id, "name": "Shop"})
        key = {"name": "backend", "environment": {"id": "prod", "name": "Production"}}
        self.ingest_key = stack.call("POST", f"/v1/projects/{self.id}/keys", key)["key"]
        self.posted = 0

    def admin_key(self):
        """An admin key of this project alone."""
        return self.stack.call("POST", "/v1/admin-keys", {"name": "the shop's own", "project": self.id})["key"]

    def integration(self, name, **settings):
        return Integration(self, name, settings)

    def post(self, count, flag="checkout"):
        """Has so many impressions accepted, each with a key of its own, which it gives."""
        keys = [f"user-{number:05d}" for number in range(self.posted, self.posted + count)]
        self.posted += count
        now = int(time.time() * 1000)
        batch = [{"key": key, "split": flag, "treatment": "on", "time": now} for key in keys]
        accepted = self.stack.api.call("POST", "/v1/impressions", self.ingest_key, batch)["accepted"]
        assert accepted == count, f"{accepted} of {count} accepted"
        return keys


class Integration:
    """A webhook of preset `split`, with a real endpoint, which answers 200 until `endpoint.status` is another."""

    def __init__(self, shop, name, settings):
        self.endpoint = Receiver(lambda _: None)
        self.endpoint.__enter__()
        shop.add_cleanup(self.endpoint.__exit__)
        self.stack = shop.stack
        self.name = name
        body = {"name": name, "preset": "split", "url": self.endpoint.url, **settings}
        integrations = f"/v1/projects/{shop.id}/integrations"
        self.id = self.stack.call("POST", integrations, body)["id"]
        self.path = f"{integrations}/{self.id}"

    def status(self):
        return self.stack.call("GET", f"{self.path}/status")

    def until(self, what, so):
        """Its status, when it is so."""

        def look():
            status = self.status()
            return status if so(status) else None

        return until(what, look)

    def requests(self):
        """What came that was no test send."""
        return [one for one in list(self.endpoint.requests) if not one.delivery.startswith("test_")]

    def taken(self):
        """How often each event was taken, by its key."""
        return Counter(event["key"] for one in self.requests() if one.status == 200 for event in one.events)

    def gets(self, keys):
        """Waits until each of these was taken and is counted, and has it that nothing was taken twice, or besides them."""

        def is_settled(status):
            rest = (*waiting(status), status["backlog"]["deliveries"])
            return total(status, "delivered") >= len(keys) and rest == (0, 0, 0, 0)

        self.until("all is delivered", is_settled)
        assert self.taken() == Counter(keys), (self.taken(), keys)
        status = self.status()
        assert status["ledger"]["balances"] and total(status, "matched") == len(keys), status


def total(status, name):
    return status["ledger"]["total"].get(name) or 0


def waiting(status):
    """Events on the schedule, parked, and dead."""
    return tuple(total(status, name) - total(status, f"un{name}") for name in ("scheduled", "parked", "dead"))
