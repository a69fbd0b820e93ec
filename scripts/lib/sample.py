"""Impressions as SDKs report them: a few dozen flags, a fleet of hosts, several SDKs. The same seed, the same ones."""

import json
import random

FLAGS = [
    ("checkout_redesign", ("on", "off"), ("default rule", "in segment beta_customers", "whitelisted")),
    ("search_ranking_v3", ("control_group", "bm25", "semantic"), ("default rule", "country in list [DE, AT, CH]")),
    ("onboarding-tour", ("on", "off"), ("default rule", "plan in list [trial]")),
    ("pricing_page_experiment", ("a", "b", "c"), ("default rule", "not in split")),
    ("mobile_push_optin", ("on", "off"), ("default rule", "app_version >= 4.12.0")),
    ("kill_switch_exports", ("off",), ("killed",)),
    ("new_billing_backend", ("on", "off"), ("in segment billing_pilot", "default rule")),
    ("dark_mode", ("on", "off"), ("default rule",)),
    ("recommendations_api", ("v1", "v2"), ("default rule", "bucketing by account")),
    ("legacy_flag_cleanup", ("control",), ("definition not found",)),
]
SDKS = [("python", "10.7.0"), ("nodejs", "11.4.1"), ("java", "4.18.1"), ("go", "6.7.0"), ("javascript", "11.4.1")]
HOSTS = [(f"ip-10-24-{n // 16}-{n % 16 * 13 + 4}", f"10.24.{n // 16}.{n % 16 * 13 + 4}") for n in range(48)]


def impressions(count, first, now_ms, seed=7):
    """`count` impressions with keys of their own, numbered from `first`, of the seconds before `now_ms`."""
    chance = random.Random(f"{seed}/{first}")
    made = []
    for number in range(first, first + count):
        flag, treatments, labels = chance.choice(FLAGS)
        sdk, version = chance.choice(SDKS)
        impression = {
            "key": f"user-{number:06d}-{chance.getrandbits(40):010x}",
            "split": flag,
            "treatment": chance.choice(treatments),
            "time": now_ms - chance.randrange(9000),
            "label": chance.choice(labels),
            "splitVersionNumber": 1_788_000_000_000 + FLAGS.index((flag, treatments, labels)) * 86_400_123,
            "sdk": sdk,
            "sdkVersion": version,
        }
        if chance.random() < 0.3:
            impression["bucketingKey"] = f"account-{chance.randrange(4000):05d}"
        if sdk != "javascript":  # browsers have no machine to name
            impression["machineName"], impression["machineIp"] = chance.choice(HOSTS)
        if chance.random() < 0.1:
            impression["properties"] = json.dumps({"tier": chance.choice(["free", "team", "enterprise"])})
        made.append(impression)
    return made
