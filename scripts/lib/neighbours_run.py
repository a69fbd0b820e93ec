"""One run of scripts/neighbours: a stack of its own, a hundred integrations, a steady load, some endpoints that turn bad.

Each run is a process of its own, so that several can be made side by side: this file, with the plan as its argument.
"""

import hashlib
import json
import os
import random
import secrets
import socket
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path

from api import Api
from emulator import Emulator
from neighbours_endpoints import Endpoints
from neighbours_mapping import Mapping
from project import LOCAL, Failed, run_main, uninterrupted
from sample import impressions
from stack import Stack

INTEGRATIONS = 100
EVENTS = 5  # impressions in a request
WARM_UP = {"ministack": 15, "aws": 30}  # seconds of load while all are well: containers start, caches fill
LAST = 240  # seconds after the load for the last events of healthy integrations


@dataclass
class Plan:
    """What is to be run."""

    shape: str  # "tenants": an event is wanted by one integration; "fan-out": by all
    kind: str  # "well", "dead", "hanging" or "slow"
    bad: int
    rate: float  # requests to the API in a second
    seconds: float  # of load after the bad ones turned bad
    mapping: str  # who serves EventsQueue: "aws", as AWS documents it, or "ministack"
    most: int  # invocations for fresh events at a time, where the mapping is like AWS's
    log: bool = False  # whether what the functions logged is kept

    @property
    def name(self):
        return "all well" if self.kind == "well" else f"{self.bad} {self.kind}"

    @property
    def file(self):
        return f"neighbours-{self.shape}-{self.mapping}-{self.name.replace(' ', '-')}-{os.getpid()}"


@dataclass
class Came:
    """What came of it. Times are in seconds since the bad ones turned bad."""

    plan: Plan
    delays: list = field(default_factory=list)  # (accepted at, seconds to the delivery) for healthy integrations
    missing: int = 0
    repeats: int = 0  # events that healthy or slow endpoints got again
    answers: dict = field(default_factory=dict)  # what the bad endpoints did, and how often
    queue: list = field(default_factory=list)  # (at, visible, in flight) of EventsQueue
    invocations: list = field(default_factory=list)  # (began at, seconds, messages), where the mapping is like AWS's
    refused: int = 0  # requests that the API did not accept
    turned: float = 0  # when the bad ones turned bad, by the monotonic clock
    late: float = 0  # how far the load fell behind its plan at most, in seconds


def run(plan):
    """Makes the run: a `Came`."""
    admin_key = secrets.token_urlsafe(24)
    parameters = {
        "AllowedEndpoints": "127.0.0.0/8",
        "AdminKeySha256": hashlib.sha256(admin_key.encode()).hexdigest(),
    }
    with Endpoints(INTEGRATIONS) as endpoints, Emulator(log=f"{plan.file}-emulator") as emulator:
        with Stack(emulator, "neighbours", parameters) as stack:
            mapping = Mapping(stack, plan.most) if plan.mapping == "aws" else nullcontext()
            with mapping as serving:
                came = Run(plan, endpoints, stack, Api(emulator.endpoint, stack.outputs["ApiId"]), admin_key).go()
            if serving:
                came.invocations = [(at - came.turned, *rest) for at, *rest in serving.invocations]
            if plan.log:
                stack.save_logs(LOCAL / f"{plan.file}.log")
            return came


class Run:
    def __init__(self, plan, endpoints, stack, api, admin_key):
        self.plan, self.endpoints, self.stack, self.api, self.admin_key = plan, endpoints, stack, api, admin_key
        self.accepted = {}  # number of a request: (when, environment)
        self.came = Came(plan)
        self.ended = threading.Event()

    def go(self):
        self.configure()
        self.bad = set(random.Random("bad").sample(range(INTEGRATIONS), INTEGRATIONS)[: self.plan.bad])
        chance = random.Random("load")  # the same in every run
        watching = threading.Thread(target=self.watch)
        with ThreadPoolExecutor(64) as pool:
            watching.start()
            try:
                self.warm_up(pool, chance)
                self.turned = self.turn_bad()
                self.load(pool, chance, self.turned, self.plan.seconds, 10_000)
                pool.shutdown(wait=True)
                self.settle()
            finally:
                self.ended.set()
                watching.join()
        return self.figures()

    def configure(self):
        """Tenants have an environment and a key of their own each, in one project; fan-out has one of both."""
        self.operator("/v1/projects", {"id": "web", "name": "Web"})
        tenants = self.plan.shape == "tenants"
        environments = [f"e{number}" for number in range(INTEGRATIONS if tenants else 1)]
        with ThreadPoolExecutor(4) as pool:
            key = lambda one: {"name": one, "environment": {"id": one, "name": one}}  # noqa: E731
            made = pool.map(lambda one: self.operator("/v1/projects/web/keys", key(one))["key"], environments)
            self.keys = list(made)
            integration = lambda number: {  # noqa: E731
                "name": f"i{number}",
                "url": f"http://127.0.0.1:{self.endpoints.ports[number]}/",
                "preset": "split",
                "environments": [f"e{number}"] if tenants else [],
            }
            made = pool.map(
                lambda number: self.operator("/v1/projects/web/integrations", integration(number)), range(INTEGRATIONS)
            )
            list(made)

    def operator(self, path, body):
        return self.api.call("POST", path, self.admin_key, body)

    def warm_up(self, pool, chance):
        """Bursts first, so that every container that there can be has started; then the load as it will be."""
        for burst in range(3):
            for number in range(10):
                pool.submit(self.post, burst * 10 + number, chance.randrange(len(self.keys)))
            time.sleep(1)
        self.load(pool, chance, time.monotonic(), WARM_UP[self.plan.mapping] - 3, 1_000)

    def turn_bad(self):
        kinds = {}
        for place, number in enumerate(sorted(self.bad)):
            # The dead ones by halves: no connection, and an answer that is none.
            dead = "refusing" if place % 2 else "failing"
            kinds[number] = dead if self.plan.kind == "dead" else self.plan.kind
        turned = self.endpoints.ask(do="become", kinds=kinds)
        for number in (number for number, kind in kinds.items() if kind == "refusing"):
            try:
                socket.create_connection(("127.0.0.1", self.endpoints.ports[number]), timeout=1).close()
            except ConnectionRefusedError:
                continue
            raise Failed("an endpoint that should refuse connections took one")
        return turned

    def load(self, pool, chance, start, seconds, first):
        for place in range(int(seconds * self.plan.rate)):
            due = start + place / self.plan.rate
            time.sleep(max(0, due - time.monotonic()))
            self.came.late = max(self.came.late, time.monotonic() - due)
            pool.submit(self.post, first + place, chance.randrange(len(self.keys)))

    def post(self, number, environment):
        events = impressions(EVENTS, number * EVENTS, int(time.time() * 1000))
        for event in events:
            event["key"] = f"n{number}"
        try:
            self.api.call("POST", "/v1/impressions", self.keys[environment], events)
        except Failed:
            self.came.refused += 1
        else:
            self.accepted[number] = (time.monotonic(), environment)

    def settle(self):
        """Waits until healthy integrations have all of theirs."""
        deadline = time.monotonic() + LAST
        wanted = self.wanted()
        while time.monotonic() < deadline:
            arrived = self.endpoints.ask(do="arrived")
            if all(arrived[integration] >= len(numbers) for integration, numbers in wanted.items()):
                return
            time.sleep(0.5)

    def wanted(self):
        """What each healthy integration is to get: the numbers of requests."""
        healthy = [number for number in range(INTEGRATIONS) if number not in self.bad]
        if self.plan.shape == "fan-out":
            return {integration: set(self.accepted) for integration in healthy}
        found = {integration: set() for integration in healthy}
        for number, (_, environment) in self.accepted.items():
            if environment in found:
                found[environment].add(number)
        return found

    def watch(self):
        """Looks at EventsQueue every second."""
        sqs, url = self.stack.client("sqs"), self.stack.outputs["EventsQueueUrl"]
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        while not self.ended.wait(1):
            found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
            visible, hidden = (int(found[name]) for name in names)
            self.came.queue.append((time.monotonic(), visible, hidden))

    def figures(self):
        came = self.came
        came.turned = self.turned
        came.queue = [(at - self.turned, *rest) for at, *rest in came.queue]
        told = self.endpoints.ask(do="tell")
        for integration, numbers in self.wanted().items():
            arrived = {number: at for at, number in told[integration]["first"]}
            for number in numbers:
                accepted, _ = self.accepted[number]
                if number not in arrived:
                    came.missing += 1
                if number >= 10_000:  # not of the warm-up
                    at = arrived.get(number, float("inf"))
                    came.delays.append((accepted - self.turned, max(0.0, at - accepted)))
        came.repeats = sum(one["repeats"] for one in told)
        for integration in self.bad:
            for kind, count in told[integration]["answers"].items():
                came.answers[kind] = came.answers.get(kind, 0) + count
        if self.plan.kind in ("hanging", "slow") and not came.answers.get(self.plan.kind):
            raise Failed(f"no endpoint was {self.plan.kind}: nothing was measured")
        if self.plan.kind == "dead" and not came.answers.get("failing"):
            raise Failed("no endpoint failed: nothing was measured")
        return came


def run_all(plans, at_once):
    """Makes the runs, some at a time, and gives each `Came` in the order of the plans."""
    LOCAL.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="neighbours-", dir=LOCAL) as directory:
        waiting = [(plan, Path(directory) / f"{place}.json") for place, plan in enumerate(plans)]
        running = []
        try:
            while waiting or running:
                while waiting and len(running) < at_once:
                    plan, path = waiting.pop(0)
                    with uninterrupted():
                        command = [sys.executable, __file__, json.dumps(asdict(plan)), str(path)]
                        running.append((subprocess.Popen(command, start_new_session=True), path))
                process, path = running[0]
                # The one behind may end first; then its place is taken when this one ends.
                if process.wait() != 0:
                    raise Failed("a run failed")
                running.pop(0)
                told = json.loads(path.read_text())
                yield Came(**{**told, "plan": Plan(**told["plan"])})
        finally:
            for process, _ in running:
                process.terminate()
            for process, _ in running:
                process.wait()


def main():
    came = run(Plan(**json.loads(sys.argv[1])))
    Path(sys.argv[2]).write_text(json.dumps(asdict(came)))


if __name__ == "__main__":
    run_main(main)
