"""Plays the operator's API from memory, and serves the console's files as the admin function does.

The answers have the forms of docs/api.md. What is asked is kept, so that a test can look at it.
"""

import json
import math
import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

ADMIN = Path(__file__).resolve().parents[2] / "functions" / "admin"
#: Seconds.
PATIENCE = 60
KEY = "fpa_for-the-browser-test-0123456789"
HOUR = 3_600_000
TYPES = {".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}
WAREHOUSE, SLACK, BROKEN = (f"01a1fd2a6c807b1c8d2e3f405162738{digit}" for digit in range(3))
#: An endpoint's answer that would do harm, were it taken for markup.
HOSTILE = '<img src=x onerror="document.title=\'owned\'"> Internal error: no space left on device'


class Refusal(Exception):
    def __init__(self, status, kind, detail, headers=(), **more):
        self.status = status
        self.headers = headers
        self.problem = {
            "type": f"urn:flagpost:problem:{kind}", "title": kind.replace("-", " "), "status": status, "detail": detail, **more,
        }  # fmt: skip


class Held:
    """One answer that is made in time and sent late: the next to such a request."""

    def __init__(self, method, end):
        self.method, self.end = method, end
        self.asked, self.freed = threading.Event(), threading.Event()

    def takes(self, method, path):
        return not self.asked.is_set() and self.names(method, path)

    def holds(self, method, path):
        return self.asked.is_set() and not self.freed.is_set() and self.names(method, path)

    def names(self, method, path):
        return method == self.method and path.endswith(self.end)

    def wait_until_asked(self):
        assert self.asked.wait(PATIENCE), f"nobody asked for {self.end}"

    def free(self):
        self.freed.set()


class Integration:
    def __init__(self, id, name, now, state="well", **settings):
        self.document = {
            "id": id, "project": "shop", "name": name, "url": "https://hooks.example.com/flagpost?token=t", "preset": "split",
            "stream": "impressions", "enabled": state != "disabled", "created_at": now - 90 * HOUR,
            "updated_at": now - 3 * HOUR, "version": 7, **settings,
        }  # fmt: skip
        self.state = state
        self.pause = None
        self.drains = state == "open"
        self.hours = [hour(now, ago, sick=state == "open" and ago < 5) for ago in range(30, -1, -1)]
        self.attempts = [attempt(now, index, sick=state == "open" and index < 40) for index in range(70)]
        self.dead = [laid("dead", now - (40 - index) * HOUR, index) for index in range(3)]
        self.parked = [laid("parked", now - index * 60_000, index) for index in range(6 if state in ("open", "paused") else 0)]

    def laid(self, state, id):
        found = next((laid for laid in getattr(self, state) if laid["id"] == id), None)
        if found is None:
            raise Refusal(404, "not-found", "there is no such delivery")
        return found

    def status(self):
        sick = self.state == "open" and self.pause is None
        names = self.hours[0].keys() - {"hour"}
        total = {name: sum(one[name] for one in self.hours) for name in names}
        total["dead"] = sum(one["events"] for one in self.dead)
        now = int(time.time() * 1000)
        return {
            "state": "paused" if self.pause else self.state,
            "breaker": {
                "open": sick, "since": now - 5 * HOUR if sick else None, "until": now + 30_000 if sick else None,
                "cause": "failure_rate" if sick else None,
            },
            "pause": self.pause,
            "next_probe_at": now + 30_000 if sick else None,
            "next_wake_at": now + 30_000 if self.parked else None,
            "backlog": {
                "deliveries": len(self.parked), "events": sum(one["events"] for one in self.parked), "at_least": False,
                "oldest_at": min((one["at"] for one in self.parked), default=None),
            },
            "ledger": {"hours": self.hours, "total": total, "balances": True},
        }  # fmt: skip


def hour(now, ago, sick):
    named = time.strftime("%Y-%m-%dT%H", time.gmtime(now / 1000 - 3600 * ago))
    much = int(9000 + 4000 * math.sin(ago / 3.5))
    counts = {"matched": much, "delivered": much, "scheduled": much // 40, "unscheduled": much // 40}
    if sick:
        counts |= {"delivered": much // 5, "scheduled": much // 3, "unscheduled": much // 3, "parked": much // 2, "dead": much // 9}
    rest = dict.fromkeys(("parked", "unparked", "dead", "undead", "filtered", "expired", "discarded"), 0)
    return {"hour": named, **rest, **counts}


def attempt(now, index, sick):
    at = now - index * 47_000
    failed = sick and index % 3 != 2
    one = {
        "id": f"{at:013}-{index}", "delivery": f"0f{index:030x}", "at": at, "from": "drain" if index % 5 == 0 else "batch",
        "outcome": "failed" if failed else "delivered", "requests": 2 if failed else 1, "status": 500 if failed else 200,
        "duration_ms": 900 + 37 * index if failed else 40 + (index * 7919) % 160, "events": 120 + index,
        "delivered": 0 if failed else 120 + index, "bytes": 40_000 + index, "bytes_sent": 2_100 + index,
        "answer": HOSTILE if failed else "ok", "then": "scheduled" if failed else "delivered",
    }  # fmt: skip
    return one | {"next_at": at + 60_000} if failed else one


def laid(state, at, index):
    delivery = f"0e{index:030x}"
    return {"id": f"{at}-{delivery}-{40 + index}", "delivery": delivery, "state": state, "at": at, "events": 40 + index}


class World:
    """Everything that the stub remembers."""

    def __init__(self):
        now = int(time.time() * 1000)
        self.asked = []
        self.sent = []
        self.failing = set()
        self.held = []
        self.is_key_known = True
        #: What every dead or parked delivery has in it.
        self.events = [{"key": "user-17", "split": "new-checkout", "note": HOSTILE}]
        #: Up to when the last dry run counted, and whether answers say so.
        self.counted = None
        self.names_end = True
        #: Where attempts of one outcome are looked for: how many are read for one answer, which may then have none.
        self.reads = 2000
        #: What the browser may do with the page itself.
        self.kept = "no-store"
        self.integrations = {
            one.document["id"]: one
            for one in (
                Integration(SLACK, "Slack", now, state="disabled", preset="standard", stream="events"),
                Integration(
                    BROKEN, "Billing <b>export</b>", now, state="open", preset="statsig", stream="events",
                    filter={"eventName": ["purchase"]},
                ),
                Integration(WAREHOUSE, "Warehouse", now),
            )
        }  # fmt: skip

    def hold(self, method, end):
        """Holds back the next answer to such a request, until it is freed."""
        self.held.append(Held(method, end))
        return self.held[-1]

    def is_held(self, asked):
        path = urlsplit(asked.url).path
        return any(one.holds(asked.method, path) for one in self.held)

    def taking(self, method, path):
        """What holds back this answer, if anything does."""
        held = next((one for one in self.held if one.takes(method, path)), None)
        if held:
            held.asked.set()
        return held

    def answer(self, method, path, query, body, if_match):
        self.asked.append((method, path, query, body))
        match path.strip("/").split("/"):
            case ["v1", "projects"]:
                projects = [{"id": "shop", "name": "Shop", "created_at": 0}, {"id": "web", "name": "Web", "created_at": 0}]
                return 200, {"projects": projects, "next": None}
            case ["v1", "projects", "shop", "integrations"]:
                listed = [{**one.document, "url": "https://hooks.example.com"} for one in self.integrations.values()]
                return 200, part(sorted(listed, key=lambda one: one["name"]), "integrations", query)
            case ["v1", "projects", "web", "integrations"]:
                return 200, {"integrations": [], "next": None}
            case ["v1", "projects", "shop", "integrations", id, *rest] if id in self.integrations:
                return self.one(self.integrations[id], method, rest, query, body, if_match)
        raise Refusal(404, "not-found", "there is no such thing")

    def one(self, one, method, rest, query, body, if_match):
        if self.failing.intersection(rest):
            raise Refusal(503, "unavailable", "an AWS service throttled or failed")
        match method, rest:
            case "GET", []:
                return 200, one.document
            case "PATCH", []:
                if if_match != f'"{one.document["version"]}"':
                    raise Refusal(412, "precondition-failed", "it was changed in the meantime")
                one.document |= body | {"version": one.document["version"] + 1}
                return 200, one.document
            case "GET", ["status"]:
                return 200, one.status()
            case "GET", ["attempts"]:
                return 200, self.tried(one, query)
            case "GET", ["deliveries"]:
                return 200, part(getattr(one, query["state"]), "deliveries", query)
            case "GET", ["deliveries", state, id]:
                return 200, {**one.laid(state, id), "payload": self.events}
            case "POST", ["deliveries", "dead", id, "replay"]:
                replayed = one.laid("dead", id)
                one.dead.remove(replayed)
                return 200, swept([replayed], True, False)
            case "POST", ["deliveries", "replay"]:
                return self.replay(one, body)
            case "POST", ["pause"]:
                one.pause = {"at": int(time.time() * 1000), "reason": body.get("reason", "operator")}
                return 200, one.status()
            case "POST", ["resume"]:
                return self.resume(one, body)
            case "POST", ["test"]:
                return 200, tested(one, body)
            case "POST", ["preview"]:
                return 200, preview(body, one.document)
        raise Refusal(404, "not-found", "there is no such path")

    def tried(self, one, query):
        low, high = int(query.get("from", 0)), float(query.get("to", "inf"))
        ranged = [tried for tried in one.attempts if low <= tried["at"] < high and tried["id"] < query.get("cursor", "~")]
        outcome, limit = query.get("outcome"), int(query.get("limit", 50))
        read = ranged[: self.reads] if outcome else ranged
        wanted = [tried for tried in read if outcome in (None, tried["outcome"])]
        if len(wanted) > limit:
            return {"attempts": wanted[:limit], "next": wanted[limit - 1]["id"]}
        return {"attempts": wanted, "next": read[-1]["id"] if len(read) < len(ranged) else None}

    def replay(self, one, body):
        # What dies after the request began is left to the next: the answer says up to when it went.
        low, high = body.get("from", 0), min(body.get("to", math.inf), int(time.time() * 1000))
        found = [laid for laid in one.dead if low <= laid["at"] < high]
        end = {"to": high} if self.names_end else {}
        if body.get("dry_run"):
            self.counted = high
            return 200, {**swept(found, True, True), **end}
        # Never more than two at a time, so that it takes more requests than one.
        now, later = found[:2], found[2:]
        one.dead = [laid for laid in one.dead if laid not in now]
        return 200, {**swept(now, not later, False), **end}

    def resume(self, one, body):
        if body.get("from") != "now":
            one.pause = None
            return 200, one.status()
        if one.pause is None:
            raise Refusal(409, "conflict", "it is not paused: there is nothing to resume, and nothing was dropped")
        parked = one.parked
        if one.drains and not body.get("dry_run"):
            one.drains = False
            raise Refusal(409, "conflict", "a drain has to end first", headers={"Retry-After": "1"})
        if not body.get("dry_run"):
            one.parked, one.pause = [], None
        return 200, swept(parked, True, bool(body.get("dry_run")))


def spelled(document):
    """As JSON, where a text `number:1.10` stands for a number that is spelled so."""
    return re.sub(r'"number:([^"]*)"', r"\1", json.dumps(document))


def part(items, field, query):
    start, limit = int(query.get("cursor", 0)), int(query.get("limit", 50))
    after = start + limit
    return {field: items[start:after], "next": str(after) if after < len(items) else None}


def swept(found, done, dry_run):
    count = sum(one["events"] for one in found)
    return {"deliveries": len(found), "events": count, "skipped": 0, "done": done, "dry_run": dry_run, "next": None}


def tested(one, body):
    event = body.get("event", {"key": "sample", "split": "sample-flag", "treatment": "on"})
    failed = one.state == "open"
    return {
        "request": {
            "method": "POST", "url": one.document["url"],
            "headers": {"content-type": "application/json", "webhook-id": "test_1", "authorization": "***"},
            "body": json.dumps([event]), "gzipped": False,
        },
        "answer": {"status": 500 if failed else 200, "body": HOSTILE if failed else "thank you"},
        "outcome": "failed" if failed else "delivered", "duration_ms": 87, "filtered": False,
    }  # fmt: skip


def preview(body, document):
    """Enough of a template for a test: `${name}` is put in, an unclosed one is a fault."""
    event = body.get("event", {"key": "sample", "split": "sample-flag"})
    template = body["template"] if "template" in body else document.get("template")
    if isinstance(body.get("filter"), dict) and any(not isinstance(value, list | dict) for value in body["filter"].values()):
        name = next(iter(body["filter"]))
        fault = {"field": "filter", "path": f"/{name}", "detail": "must be a list of wanted values"}
        return {"matches": False, "fault": fault}
    if template is None:
        return {"matches": True, "payload": json.dumps([event]), "content_type": "application/json"}
    made, rest = "", template
    while "${" in rest:
        before, rest = rest.split("${", 1)
        made += before
        if "}" not in rest:
            lines = template[: template.rindex("${")].split("\n")
            fault = {"field": "template", "line": len(lines), "column": len(lines[-1]) + 1, "detail": "`${` without `}`"}
            return {"matches": True, "fault": fault}
        name, rest = rest.split("}", 1)
        made += str(event.get(name, ""))
    return {"matches": True, "payload": made + rest, "content_type": "application/json"}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        where = urlsplit(self.path)
        if where.path == "/console/":
            self.send(308, "text/plain", b"", {"Location": "../console"})
        elif where.path == "/console" or where.path.startswith("/console/"):
            self.file(where.path.removeprefix("/console").strip("/") or "index.html")
        else:
            self.api()

    def do_POST(self):
        self.api()

    def do_PATCH(self):
        self.api()

    def file(self, name):
        path = ADMIN / "console" / name
        if "/" in name or not path.is_file():
            return self.send(404, "application/json", b"{}")
        policy = (ADMIN / "console.policy").read_text().strip()
        self.remember(b"")
        more = {
            "Cache-Control": self.server.world.kept if name == "index.html" else "no-cache", "Content-Security-Policy": policy, "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff", "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
        }  # fmt: skip
        self.send(200, TYPES[path.suffix], path.read_bytes(), more)

    def api(self):
        where = urlsplit(self.path)
        sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.remember(sent)
        more = {}
        held = None
        try:
            if not self.server.world.is_key_known or self.headers.get("Authorization") != f"Bearer {KEY}":
                raise Refusal(401, "unauthorized", "the key is not known")
            with self.server.lock:
                held = self.server.world.taking(self.command, where.path)
                status, document = self.server.world.answer(
                    self.command, unquote(where.path), dict(parse_qsl(where.query)), json.loads(sent or b"{}"),
                    self.headers.get("If-Match"),
                )  # fmt: skip
            if "version" in document:
                more["ETag"] = f'"{document["version"]}"'
            kind = "application/json"
            answer = spelled(document)
        except Refusal as refusal:
            more.update(refusal.headers)
            status, answer, kind = refusal.status, json.dumps(refusal.problem), "application/problem+json"
        if held:
            held.freed.wait(PATIENCE)
        try:
            self.send(status, kind, answer.encode(), more)
        except ConnectionError:
            # The page no longer waits for it.
            self.close_connection = True

    def remember(self, sent):
        """Everything of a request, as it came."""
        self.server.world.sent.append((self.path, self.headers.items(), sent.decode()))

    def send(self, status, kind, body, more=()):
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **dict(more)}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


class Stub:
    """The server, on a port of its own."""

    def start(self):
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.world, self.server.lock = World(), threading.Lock()
        self.world = self.server.world
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


if __name__ == "__main__":
    stub = Stub()
    stub.start()
    print(f"{stub.url}/console, with the key {KEY}", flush=True)
    try:
        stub.thread.join()
    except KeyboardInterrupt:
        stub.stop()
