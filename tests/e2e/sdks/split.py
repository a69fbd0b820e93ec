"""Evaluates a flag for many keys, and tracks an event for each, with Split's Python SDK as it is by default,
but for the 1.5 s that it gives a request: what takes longer on a busy machine it keeps for its next period, which a program
that ends at once does not live to see.

Standard input holds a JSON object: `key`, `flags` (the URL where flags come from), `events` (ours), `rounds` (lists of
keys; what a round made is sent at its end). Standard output gets what each key was given.
"""

import json
import sys
import threading
import time

from splitio import get_factory


def senders_run(factory):
    """Whether the SDK's sending threads run. It starts them after it says that it is ready, and what is destroyed before
    they run sends nothing of what it holds (`AsyncTask.stop`), which no program that lives for a second meets."""
    tasks = factory._sync_manager._synchronizer._periodic_data_recording_tasks
    return all(task.is_running() for task in tasks)


given = json.load(sys.stdin)
treatments = {}
for keys in given["rounds"]:
    factory = get_factory(
        given["key"],
        sdk_api_base_url=given["flags"],
        auth_api_base_url=given["flags"],
        streaming_api_base_url=given["flags"],
        events_api_base_url=given["events"],
        telemetry_api_base_url=given["events"],
        config={"connectionTimeout": 60_000},
    )
    factory.block_until_ready(30)
    client = factory.client()
    for n, key in enumerate(keys):
        treatments[key] = client.get_treatment(key, "checkout_flow")
        assert client.track(key, "user", "checkout.completed", 42.5, {"n": n})
    while not senders_run(factory):
        time.sleep(0.01)
    sent = threading.Event()
    factory.destroy(sent)
    assert sent.wait(60)
json.dump(treatments, sys.stdout)
