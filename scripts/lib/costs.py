"""What a stack costs a month: quantities by a small model, times list prices.

Everything that goes in is in docs/costs: what was measured, what is assumed, and the prices. Sizes of functions, windows,
alarms and the like are read from template.yaml. Nothing is asked of AWS.
"""

import dataclasses
import json
import math
from dataclasses import dataclass

import promises
from project import ROOT

FOLDER = ROOT / "docs/costs"
HOURS = 730  # of a month, as AWS counts
SECONDS = HOURS * 3600
GB = 1024**3
CHUNK = 64 * 1024  # what SQS counts as one request
API_UNIT = 512 * 1024  # what an HTTP API counts as one request
LAMBDA_PAYLOAD = 6 * 1024 * 1024  # of an invocation that Lambda makes itself
ENVELOPE = 1024  # what a record has beside its body: receipt, attributes
FULL_CPU_MB = 1769  # from this size on a function has a whole processor
EVENTS_IN_A_DELIVERY = 500
EVENTS_WHEN_ONE_EACH = 50  # in a delivery whose events are requests of their own
WIDTH = 2  # requests under way to one integration
IN_FLIGHT_LIMIT = 120_000  # messages of a standard queue
STORED_BESIDE = 100  # bytes that DynamoDB counts beside a stored item
INDEXES = 2  # the health of an unwell integration with a timer is in both, and each write of it is one of theirs
MARK = 1 + 1 + INDEXES  # a mark beside a timer: the condition that finds the timer, then the write itself
FASTEST_DRAIN = 256  # deliveries a second: MAX of shared/domain/src/pacing.rs


def read(name):
    return json.loads((FOLDER / f"{name}.json").read_text())


class Facts:
    """What the model goes by: `measured` and `assumed` by name, prices, and the template."""

    def __init__(self, template=None, **assumed):
        template = template or promises.read()
        self.template = template
        self.measured = {name: figure["value"] for name, figure in read("measured").items()}
        self.assumed = {name: figure["value"] for name, figure in read("assumed").items()}
        if unknown := set(assumed) - set(self.assumed):
            raise KeyError(f"nothing assumes {', '.join(sorted(unknown))}")
        self.assumed.update(assumed)
        self.prices = read("prices")["prices"]
        functions = promises.named(template, "AWS::Serverless::Function")
        self.memory = {name: properties["MemorySize"] for name, properties in functions.items()}
        mappings = promises.named(template, "AWS::Lambda::EventSourceMapping")
        self.window = mappings["EventsMapping"]["MaximumBatchingWindowInSeconds"]
        self.batch_size = mappings["EventsMapping"]["BatchSize"]
        self.mappings = len(mappings)
        self.functions = len(functions)
        self.alarms = len(promises.named(template, "AWS::CloudWatch::Alarm"))
        self.dashboards = len(promises.named(template, "AWS::CloudWatch::Dashboard"))
        events = [event for properties in functions.values() for event in properties.get("Events", {}).values()]
        self.firings = sum(SECONDS / period(event["Properties"]["Schedule"]) for event in events)
        self.keep_attempts_days = template["Parameters"]["AttemptsRetentionDays"]["Default"]
        self.keep_logs_days = template["Parameters"]["LogRetentionDays"]["Default"]

    def usd(self, quantity, price):
        return quantity * self.prices[price]["usd"] / self.prices[price]["per"]

    def line(self, figure, events):
        """A size of so many events, by the line through that of 20 and that of 500."""
        small, large = (self.measured[f"{figure}_{size}"] for size in (20, 500))
        return small + (large - small) * (events - 20) / (500 - 20)


def period(schedule):
    """The seconds of `rate(5 minutes)`."""
    number, unit = schedule.removeprefix("rate(").removesuffix(")").split()
    return int(number) * {"minute": 60, "hour": 3600, "day": 86_400}[unit.rstrip("s")]


@dataclass(frozen=True)
class Load:
    """What a stack has to do: evenly through the month, in one project, every integration wants every event."""

    events: float  # a month
    per_request: int  # 20 or 500: for these messages were measured
    integrations: int
    compressed: bool = True
    one_each: bool = False  # one event in each request
    deduplicated: bool = False  # every event is claimed and confirmed
    tenth_down: bool = False  # one endpoint in ten throughout, as in the test of a thousand integrations: writes alone
    series: int | None = None  # of metrics; those of one stream that is well


@dataclass(frozen=True)
class Line:
    service: str
    what: str
    quantity: float
    price: str
    standing: bool = False


@dataclass(frozen=True)
class Flow:
    """How the load goes through the functions."""

    messages: float  # a second
    gathered: float  # messages of an invocation
    invocations: float  # a second
    deliveries: int  # of each integration, of an invocation
    events: float  # of a delivery
    seconds: float  # that an invocation of batch takes
    ingest_seconds: float

    @property
    def running(self):
        """Invocations of batch side by side, on average."""
        return self.invocations * self.seconds

    def in_flight(self, window):
        """Messages that are gathered or worked on: received, and not deleted."""
        return self.messages * (window + self.seconds)


def flow(facts, load):
    messages = load.events / load.per_request / SECONDS
    size = facts.measured[f"message_bytes_{load.per_request}"] + ENVELOPE
    most = min(facts.batch_size, LAMBDA_PAYLOAD // size)
    # A poller gathers from its first message on, for the length of the window.
    gathered = min(most, 1 + messages * facts.window / facts.assumed["gathering_pollers"])
    invocation_events = gathered * load.per_request
    bound = EVENTS_WHEN_ONE_EACH if load.one_each else EVENTS_IN_A_DELIVERY
    deliveries = math.ceil(invocation_events / bound)
    events = invocation_events / deliveries
    requests = invocation_events if load.one_each else deliveries
    small = load.per_request < EVENTS_IN_A_DELIVERY
    ns = facts.measured["batch_ns_per_event_small" if small else "batch_ns_per_event"]
    cpu = invocation_events * load.integrations * ns / 1e9 + facts.assumed["fixed_cpu_ms"] / 1000
    seconds = (
        facts.assumed["aws_calls_ms"] / 1000
        + math.ceil(requests / WIDTH) * facts.assumed["endpoint_ms"] / 1000
        + slowed(cpu, facts.memory["BatchFunction"])
    )
    cpu = load.per_request * facts.measured["ingest_ns_per_event"] / 1e9 + facts.assumed["fixed_cpu_ms"] / 1000
    ingest = facts.assumed["ingest_wait_ms"] / 1000 + slowed(cpu, facts.memory["IngestFunction"])
    return Flow(messages, gathered, messages / gathered, deliveries, events, seconds, ingest)


def slowed(cpu, memory):
    """What takes a whole processor this long takes a small function longer."""
    return cpu * max(1.0, FULL_CPU_MB / memory)


def standing(facts):
    """What is there without an event."""
    polls = facts.mappings * facts.assumed["gathering_pollers"] * SECONDS / facts.assumed["long_poll_seconds"]
    sweep = facts.assumed["aws_calls_ms"] / 1000 * facts.memory["DrainFunction"] / 1024
    logged = facts.measured["platform_log_bytes"] + facts.measured["sweep_log_bytes"]
    logged += facts.measured["sweep_metrics_bytes"] + 5 * facts.assumed["log_event_overhead_bytes"]
    lines = [
        ("CloudWatch", "dashboard", facts.dashboards, "dashboard"),
        ("CloudWatch", "alarms", facts.alarms, "alarm"),
        ("CloudWatch", "metric: sweeps", 1, "metric"),
        ("SQS", "polling of empty queues", polls, "sqs_request"),
        ("KMS", "the table's key", facts.functions * SECONDS / facts.assumed["kms_every_seconds"], "kms"),
        ("EventBridge", "schedules", facts.firings, "event"),
        ("Lambda", "sweeps and expiry: invocations", facts.firings, "lambda_request"),
        ("Lambda", "sweeps and expiry: GB-seconds", facts.firings * sweep, "lambda_gb_second"),
        ("CloudWatch", "logs of these", facts.firings * logged / GB, "logs_ingested"),
    ]
    return [Line(*line, standing=True) for line in lines]


def lines(facts, load):
    """Everything that is billed, standing costs first."""
    of, measured, assumed = flow(facts, load), facts.measured, facts.assumed
    requests = load.events / load.per_request
    message = measured[f"message_bytes_{load.per_request}"]
    chunks = math.ceil(message / CHUNK)
    received = requests / assumed["messages_per_receive"]
    received_chunks = max(1, math.ceil(assumed["messages_per_receive"] * message / CHUNK))
    queue = requests * chunks + received * received_chunks + received
    invocations = of.invocations * SECONDS
    deliveries = invocations * of.deliveries * load.integrations
    attempts = deliveries * measured["log_writes"]
    written = attempts + invocations * load.integrations * measured["ledger_writes"]
    if load.tenth_down:
        indexes = measured["marks_10_percent_down"] * (MARK - 1)
        indexes += measured["other_health_writes_10_percent_down"] * INDEXES
        written = 0.9 * deliveries * (measured["writes_10_percent_down"] + indexes)
    if load.deduplicated:
        written += 2 * load.events
    item = (measured["attempt_item_bytes"] + STORED_BESIDE) / GB
    stored = attempts * item * facts.keep_attempts_days * 24 / HOURS
    overhead = assumed["log_event_overhead_bytes"]
    logged = requests * (
        measured["platform_log_bytes"] + measured["ingest_log_bytes"] + measured["ingest_metrics_bytes"] + 5 * overhead
    )
    each = measured["attempt_log_bytes"] + overhead + measured["batch_metrics_bytes_each"]
    logged += invocations * (measured["platform_log_bytes"] + measured["batch_metrics_bytes"] + 4 * overhead)
    logged += attempts * each
    logged /= GB
    sent = deliveries * sent_bytes(facts, load, of.events) + requests * assumed["http_overhead_bytes"]
    api = requests * math.ceil(measured[f"request_bytes_{load.per_request}"] / API_UNIT)
    memory = {name: size / 1024 for name, size in facts.memory.items()}
    # Each function that runs remembers a key for a minute.
    keys = min(requests, HOURS * 60 * max(1.0, of.messages * of.ingest_seconds))
    reads = invocations * assumed["reads_of_an_invocation"] + keys
    series = load.series or measured["metric_series_well"]
    parts = [
        ("API Gateway", "requests", api, "api_request"),
        ("Lambda", "ingest: invocations", requests, "lambda_request"),
        ("Lambda", "ingest: GB-seconds", requests * of.ingest_seconds * memory["IngestFunction"], "lambda_gb_second"),
        ("Lambda", "batch: invocations", invocations, "lambda_request"),
        ("Lambda", "batch: GB-seconds", invocations * of.seconds * memory["BatchFunction"], "lambda_gb_second"),
        ("SQS", "requests: send, receive, delete", queue, "sqs_request"),
        ("SQS", "fair queues, for the same", queue, "sqs_fair"),
        ("DynamoDB", "writes", written, "dynamodb_write"),
        ("DynamoDB", "reads", reads, "dynamodb_read"),
        ("DynamoDB", "storage: the delivery log", stored, "dynamodb_storage"),
        ("DynamoDB", "point-in-time recovery of it", stored, "dynamodb_recovery"),
        ("CloudWatch", "metrics", series, "metric"),
        ("CloudWatch", "logs: ingested", logged, "logs_ingested"),
        ("CloudWatch", "logs: stored", logged * facts.keep_logs_days * 24 / HOURS, "logs_stored"),
        ("Transfer", "deliveries and answers, to the internet", sent / GB, "transfer"),
    ]
    return standing(facts) + [Line(*part) for part in parts]


def sent_bytes(facts, load, events):
    """Of a delivery, with its requests' headers."""
    figure = "sent_bytes" if load.compressed and not load.one_each else "sent_plain_bytes"
    body = facts.line(figure, events)
    headers = facts.measured["sent_headers_bytes_500"] + facts.assumed["http_overhead_bytes"]
    return body + headers * (events if load.one_each else 1)


def total(facts, billed):
    return sum(facts.usd(line.quantity, line.price) for line in billed)


@dataclass(frozen=True)
class Outage:
    """An endpoint that is down for a day: what is parked for it, and what that costs until it is drained."""

    objects: float
    gigabytes: float
    writes: float
    drain_hours: float
    usd: float


def outage(facts, load):
    of = flow(facts, dataclasses.replace(load, integrations=1))
    invocations = of.invocations * 86_400
    objects = invocations * of.deliveries
    stored = objects * facts.line("parked_bytes", of.events) / GB
    # The mark and the ledger, once for each invocation; the log and the deletion when it is drained.
    writes = invocations * (MARK + facts.measured["ledger_writes"]) + objects * facts.measured["log_writes"]
    each = (facts.assumed["endpoint_ms"] + facts.assumed["drain_calls_ms"]) / 1000
    seconds = objects / min(FASTEST_DRAIN, WIDTH / each)
    usd = (
        facts.usd(objects, "s3_put")
        + facts.usd(objects, "s3_get")
        + facts.usd(stored * 24 / HOURS, "s3_storage")
        + facts.usd(writes, "dynamodb_write")
        + facts.usd(seconds * facts.memory["DrainFunction"] / 1024, "lambda_gb_second")
    )
    return Outage(objects, stored, writes, seconds / 3600, usd)
