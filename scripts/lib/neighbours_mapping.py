"""EventsQueue's event source mapping as AWS documents it, in place of MiniStack's.

MiniStack takes at most 10 messages a batch, ignores the batching window, and never runs more than 5 batches at once. Here a
batch begins with its first message and ends 10 s later or at 1,000 messages; five batches are gathered and processed
side by side, and while messages wait that nobody gathers, five more each second ("up to 300 more a minute"), up to `most`.
"""

import json
import random
import threading
import time

from emulator import REGION
from project import Failed

WINDOW = 10  # seconds, as in template.yaml
BATCH = 1_000
AT_FIRST = 5
MORE_EACH_SECOND = 5


class Mapping:
    """As a context manager it serves the queue in MiniStack's place."""

    def __init__(self, stack, most):
        self.stack, self.most = stack, most
        self.url = stack.outputs["EventsQueueUrl"]
        self.function = stack.outputs["BatchFunctionName"]
        self.ended = threading.Event()
        self.slots = [Slot(self) for _ in range(min(AT_FIRST, most))]
        self.failure = None
        self.invocations = []  # (began, seconds, messages)
        self.threads = [threading.Thread(target=self.watched, args=(work,)) for work in (self.receive, self.scale)]

    def __enter__(self):
        import boto3
        from botocore.config import Config

        # An invocation is never made twice, and may take as long as the function may.
        config = Config(proxies={}, retries={"max_attempts": 0}, read_timeout=120, max_pool_connections=200)
        self.functions = boto3.client(
            "lambda", endpoint_url=self.stack.emulator.endpoint, region_name=REGION, config=config,
            aws_access_key_id="test", aws_secret_access_key="test",
        )  # fmt: skip
        self.sqs = self.stack.client("sqs")
        mapping = find(self.functions, self.url)
        self.arn = mapping["EventSourceArn"]
        self.functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, kind, *_):
        self.ended.set()
        for thread in self.threads:
            thread.join()
        for slot in self.slots:
            if slot.thread:
                slot.thread.join()
        if self.failure and kind is None:
            raise Failed(f"the mapping failed: {self.failure!r}")

    def watched(self, work):
        """A thread's failure is the run's; until it is told, the run goes without what the thread did."""
        try:
            work()
        except Exception as error:
            self.failure = error

    def receive(self):
        """Takes messages while somebody gathers, and lets one of those have them."""
        chance = random.Random("mapping")
        while not self.ended.is_set():
            gathering = [slot for slot in self.slots if not slot.busy]
            for slot in gathering:
                slot.close_if_due()
            gathering = [slot for slot in gathering if not slot.busy]
            if not gathering:
                time.sleep(0.02)
                continue
            due = min((slot.due for slot in gathering if slot.messages), default=None)
            found = self.sqs.receive_message(
                QueueUrl=self.url, MaxNumberOfMessages=10, AttributeNames=["All"],
                # A window ends in time, not when a wait does.
                WaitTimeSeconds=1 if due is None or due - time.monotonic() > 1 else 0,
            ).get("Messages", [])  # fmt: skip
            if found:
                chance.choice(gathering).take(found)
            elif due is not None:
                time.sleep(min(0.05, max(0, due - time.monotonic())))

    def scale(self):
        while not self.ended.wait(1):
            if len(self.slots) < self.most and all(slot.busy for slot in self.slots) and self.waiting():
                self.slots += [Slot(self) for _ in range(min(MORE_EACH_SECOND, self.most - len(self.slots)))]

    def waiting(self):
        name = "ApproximateNumberOfMessages"
        return int(self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=[name])["Attributes"][name])

    def process(self, messages):
        """Invokes the function, and deletes what it does not report as failed."""
        began = time.monotonic()
        try:
            payload = json.dumps({"Records": [self.record(message) for message in messages]})
            answer = self.functions.invoke(FunctionName=self.function, Payload=payload)
            said = answer["Payload"].read()
            if "FunctionError" in answer:
                raise Failed(f"the function failed: {said[:500]!r}")
            failed = {one["itemIdentifier"] for one in json.loads(said)["batchItemFailures"]}
            done = [message for message in messages if message["MessageId"] not in failed]
            for start in range(0, len(done), 10):
                entries = [
                    {"Id": str(place), "ReceiptHandle": message["ReceiptHandle"]}
                    for place, message in enumerate(done[start : start + 10])
                ]
                self.sqs.delete_message_batch(QueueUrl=self.url, Entries=entries)
        except Exception as error:
            self.failure = error
        self.invocations.append((began, time.monotonic() - began, len(messages)))

    def record(self, message):
        return {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": message.get("Attributes", {}),
            "messageAttributes": {},
            "md5OfBody": message["MD5OfBody"],
            "eventSource": "aws:sqs",
            "eventSourceARN": self.arn,
            "awsRegion": REGION,
        }


class Slot:
    """One batch at a time: gathered, then processed."""

    def __init__(self, mapping):
        self.mapping = mapping
        self.messages = []
        self.due = None
        self.busy = False
        self.thread = None

    def take(self, messages):
        if not self.messages:
            self.due = time.monotonic() + WINDOW
        self.messages += messages

    def close_if_due(self):
        if self.messages and (len(self.messages) > BATCH - 10 or time.monotonic() >= self.due):
            self.busy = True
            self.thread = threading.Thread(target=self.process)
            self.thread.start()

    def process(self):
        self.mapping.process(self.messages)
        self.messages = []
        self.busy = False


def find(functions, url):
    """The mapping of a queue."""
    queue = url.rsplit("/", 1)[1]
    for mapping in functions.list_event_source_mappings()["EventSourceMappings"]:
        if mapping["EventSourceArn"].endswith(f":{queue}"):
            return mapping
    raise Failed(f"{queue} has no event source mapping")
