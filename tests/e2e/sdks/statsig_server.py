"""Logs events and checks a gate with Statsig's Python server SDK.

Standard input holds a JSON object: `key`, `flags` (the URL where its configuration comes from), `events` (ours),
`users`, `flush` (after so many of them what is queued is sent). Standard output gets what the gate said of each user.
"""

import json
import sys

from statsig import StatsigEvent, StatsigOptions, StatsigUser, statsig

given = json.load(sys.stdin)
statsig.initialize(given["key"], StatsigOptions(api=given["flags"], api_for_log_event=given["events"]))
passed = {}
for n, name in enumerate(given["users"]):
    user = StatsigUser(name, country="US")
    passed[name] = statsig.check_gate(user, "test_gate")
    statsig.log_event(StatsigEvent(user, "page_view", value=n, metadata={"page": "home_page"}))
    if (n + 1) % given["flush"] == 0:
        statsig.flush()
statsig.shutdown()
json.dump(passed, sys.stdout)
