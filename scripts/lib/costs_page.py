"""The tables of costs in docs/operations.md, and of what they are computed from, between marks that name them."""

import dataclasses
import re

import costs
from costs import Facts, Load, flow, lines, outage, standing, total
from project import ROOT, Failed

OPERATIONS = ROOT / "docs/operations.md"
PAGES = {
    OPERATIONS: {"standing", "loads", "lines", "changes", "sizes", "outages"},
    ROOT / "docs/costs/README.md": {"prices", "measured", "assumed"},
}
MARK = re.compile(r"(?P<begin><!-- scripts/costs: (?P<name>[a-z]+) -->\n).*?(?P<end><!-- end -->)", re.DOTALL)
MILLION = 1_000_000
LOADS = [
    Load(millions * MILLION, per_request, integrations)
    for millions in (1, 10, 100, 1000)
    for per_request in (20, 500)
    for integrations in (1, 10)
]
SHOWN = Load(100 * MILLION, 20, 10)  # whose lines are shown one by one
SERVICES = ["API Gateway", "Lambda", "SQS", "DynamoDB", "CloudWatch", "Transfer"]
# What is changed of SHOWN, by words, the load's fields, and what is assumed.
CHANGES = [
    ("Amplitude's SDKs upload everything, and `DeduplicateAmplitude` is on", {"deduplicated": True}, {}),
    ("one event in each request (presets `amplitude`, `flagsmith`)", {"one_each": True}, {}),
    ("bodies are not compressed (the default of every preset but `split`)", {"compressed": False}, {}),
    ("one endpoint in ten is down throughout: what it writes to DynamoDB", {"tenth_down": True}, {}),
    ("three streams, and every metric is printed", {"series": 42}, {}),
    ("endpoints answer in 1 s", {}, {"endpoint_ms": 1000}),
    ("Lambda gathers with two pollers", {}, {"gathering_pollers": 2}),
    ("SQS gives and deletes ten messages at a time", {}, {"messages_per_receive": 10}),
    ("ingest waits 60 ms for SQS", {}, {"ingest_wait_ms": 60}),
    ("requests of 500 events", {"per_request": 500}, {}),
]


def tables(facts):
    return {
        "standing": standing_table(facts),
        "loads": loads_table(facts),
        "lines": lines_table(facts),
        "changes": changes_table(facts),
        "sizes": sizes_table(facts),
        "outages": outages_table(facts),
        "prices": prices_table(facts),
        "assumed": assumed_table(),
        "measured": measured_table(),
    }


def written(path, text, facts):
    """The page with its tables as they should be."""
    made, name = tables(facts), path.relative_to(ROOT)
    found = [match["name"] for match in MARK.finditer(text)]
    if sorted(found) != sorted(PAGES[path]):
        raise Failed(f"{name} has the tables {sorted(found)}, and should have {sorted(PAGES[path])}")
    return MARK.sub(lambda match: match["begin"] + made[match["name"]] + match["end"], text)


def standing_table(facts):
    rows = [[line.service, line.what, number(line.quantity), usd(cost(facts, line))] for line in standing(facts)]
    rows.append(["**in all**", "", "", f"**{usd(total(facts, standing(facts)))}**"])
    return table(["", "", "a month", "USD a month"], rows, "llrr")


def loads_table(facts):
    rest = total(facts, standing(facts))
    rows = []
    for load in LOADS:
        billed = lines(facts, load)
        of = {service: total(facts, part(billed, service)) for service in SERVICES}
        whole = total(facts, billed)
        most = max(of, key=of.get) if max(of.values()) > rest else "standing"
        rows.append(
            [f"{load.events / MILLION:,.0f}", load.per_request, load.integrations]
            + [usd(of[service]) for service in SERVICES]
            + [f"**{usd(whole)}**", usd(whole / (load.events / MILLION)), most]
        )
    heads = ["events, millions", "in a request", "integrations", *SERVICES, "in all", "a million events", "most is"]
    return table(heads, rows, "rrr" + "r" * len(SERVICES) + "rrl")


def part(billed, service):
    return [line for line in billed if line.service == service and not line.standing]


def lines_table(facts):
    billed = [line for line in lines(facts, SHOWN) if not line.standing]
    whole = total(facts, lines(facts, SHOWN))
    rows = [
        [line.service, line.what, number(line.quantity), priced(facts, line.price), usd(cost(facts, line))]
        + [f"{100 * cost(facts, line) / whole:.0f} %"]
        for line in billed
    ]
    rest = total(facts, standing(facts))
    rows.append(["standing", "as above", "", "", usd(rest), f"{100 * rest / whole:.0f} %"])
    rows.append(["**in all**", "", "", "", f"**{usd(whole)}**", ""])
    return table(["", "", "a month", "price, USD", "USD a month", "of all"], rows, "llrlrr")


def changes_table(facts):
    before = total(facts, lines(facts, SHOWN))
    rows = []
    for words, load, assumed in CHANGES:
        changed = Facts(facts.template, **assumed)
        after = total(changed, lines(changed, dataclasses.replace(SHOWN, **load)))
        rows.append([words, usd(after), f"{after - before:+,.0f}"])
    return table([f"instead of {usd(before)}", "USD a month", "difference"], rows, "lrr")


def sizes_table(facts):
    rows = []
    for load in LOADS:
        if load.integrations == 10:
            of = flow(facts, load)
            held = of.in_flight(facts.window)
            rows.append(
                [f"{load.events / MILLION:,.0f}", load.per_request, small(of.messages), f"{of.gathered:,.0f}"]
                + [small(of.invocations), f"{of.seconds:.2f}", small(of.running), small(held)]
                + [f"{100 * held / costs.IN_FLIGHT_LIMIT:.2f} %"]
            )
    heads = ["events, millions", "in a request", "messages a second", "in an invocation", "invocations a second"]
    heads += ["each takes, s", "side by side", "in flight", "of 120,000"]
    return table(heads, rows, "r" * len(heads))


def outages_table(facts):
    rows = []
    for load in LOADS:
        if load.integrations == 1 and load.events >= 10 * MILLION:
            of = outage(facts, load)
            rows.append(
                [f"{load.events / MILLION:,.0f}", load.per_request, number(of.objects), f"{of.gigabytes:.2f}"]
                + [number(of.writes), f"{of.drain_hours:.1f}", usd(of.usd)]
            )
    heads = ["events a month, millions", "in a request", "objects", "GB", "writes to DynamoDB", "hours to drain", "USD"]
    return table(heads, rows, "r" * len(heads))


def prices_table(facts):
    named = facts.prices.values()
    rows = [[price["unit"], priced(facts, name), f"[{page_name(price['page'])}]({price['page']})"]
            + [linked(price["checked"])] for name, price in zip(facts.prices, named)]  # fmt: skip
    return table(["for", "USD", "AWS's page", "checked against"], rows, "lrll")


def page_name(page):
    return page.removeprefix("https://aws.amazon.com/").split("/")[0]


def linked(text):
    return re.sub(r"(https://[^\s,;]+)", r"<\1>", text)


def assumed_table():
    rows = [[f"`{name}`", one["value"], one["unit"], one["why"]] for name, one in costs.read("assumed").items()]
    return table(["", "", "", "why"], rows, "lrll")


def measured_table():
    rows = [
        [f"`{name}`", f"{one['value']:,}", one["unit"], one["from"].replace("scripts/bench sizes", "`scripts/bench sizes`")]
        for name, one in costs.read("measured").items()
    ]
    return table(["", "", "", "measured in"], rows, "lrll")


def cost(facts, line):
    return facts.usd(line.quantity, line.price)


def priced(facts, name):
    price = facts.prices[name]
    per = {1: "", 1000: " / thousand", 10_000: " / ten thousand", MILLION: " / million"}[price["per"]]
    return f"{price['usd']:.10f}".rstrip("0").rstrip(".") + per


def number(value):
    return f"{value:,.0f}" if value == int(value) else small(value)


def small(value):
    """Two digits that count, or all before the point."""
    if value >= 10:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 1 else f"{value:.2g}"


def usd(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"


def table(heads, rows, sides):
    marks = ["---:" if side == "r" else "---" for side in sides]
    return "".join("| " + " | ".join(map(str, row)) + " |\n" for row in [heads, marks, *rows])
