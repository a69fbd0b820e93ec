"""Tracks events with Amplitude's Python SDK.

Standard input holds a JSON object: `key`, `events` (the URL, ours), `users`. Standard output gets the `insert_id` of
every event that the SDK says was sent, by its user.
"""

import json
import sys

from amplitude import Amplitude, BaseEvent, Identify

given = json.load(sys.stdin)
sent = {}


def done(event, code, message):
    if code == 200 and event.event_type == "Button Clicked":
        sent[event.user_id] = event.insert_id


client = Amplitude(given["key"])
client.configuration.server_url = given["events"]
client.configuration.callback = done
for n, user in enumerate(given["users"]):
    client.track(
        BaseEvent(
            event_type="Button Clicked",
            user_id=user,
            device_id="device-1",
            app_version="1.2.3",
            ip="192.0.2.7",
            event_properties={"n": n},
            user_properties={"email": f"{user}@example.com"},
        )
    )
client.identify(Identify().set("plan", "pro"), {"user_id": given["users"][0]})
for flushed in client.flush():
    flushed.result()
client.shutdown()
json.dump(sent, sys.stdout)
