"""The figures of scripts/neighbours: percentiles, ratios, and the table."""

import math

from project import say

ONSET = 60  # seconds after the bad ones turned bad in which they are still being found out


def percentile(values, part):
    """The smallest value that at least this part of all does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(part * len(ordered)) - 1)] if ordered else math.nan


def parts(came):
    """The delays of a whole run, of its onset, and of the time after."""
    whole = [delay for _, delay in came.delays]
    onset = [delay for at, delay in came.delays if at < ONSET]
    after = [delay for at, delay in came.delays if at >= ONSET]
    return {"whole": whole, "onset": onset, "after": after}


def table(runs):
    """Prints one shape's runs; what is all well, taken together, is what the others are compared with."""
    well = [came for came in runs if came.plan.kind == "well"]
    base = {part: [delay for came in well for delay in parts(came)[part]] for part in ("whole", "onset", "after")}
    say(f"{'':<12} {'samples':>7} | {'whole run: ms':^24} | {'first ' + str(ONSET) + ' s: ms':^24} | {'after: ms':^24} | ")
    heads = f"{'median':>7} {'p99':>8} {'ratio':>7}"
    say(f"{'':<12} {'':>7} | {heads} | {heads} | {heads} | {'missing':>7} {'again':>5}")
    for came in runs:
        cells = []
        for part, delays in parts(came).items():
            p99 = percentile(delays, 0.99)
            ratio = p99 / percentile(base[part], 0.99)
            cells.append(f"{milliseconds(percentile(delays, 0.5)):>7} {milliseconds(p99):>8} {shown(ratio):>7}")
        say(f"{came.plan.name:<12} {len(came.delays):>7} | {' | '.join(cells)} | {came.missing:>7} {came.repeats:>5}")


def milliseconds(seconds):
    return f"{seconds * 1000:,.0f}" if math.isfinite(seconds) else "-"


def shown(ratio):
    return f"{ratio:.2f}" if math.isfinite(ratio) else "-"


def timeline(came, every=10):
    """Prints how a run went: what healthy integrations waited for, and what EventsQueue held meanwhile."""
    last = max((at for at, _ in came.delays), default=0)
    for start in range(0, int(last) + 1, every):
        delays = [delay for at, delay in came.delays if start <= at < start + every]
        held = [(visible, hidden) for at, visible, hidden in came.queue if start <= at < start + every]
        visible, hidden = (max(column) for column in zip(*held)) if held else (0, 0)
        say(
            f"     {start:>4} s: median {milliseconds(percentile(delays, 0.5)):>7} ms, "
            f"p99 {milliseconds(percentile(delays, 0.99)):>7} ms; EventsQueue at most {visible:>4} waiting, {hidden:>3} in flight"
            + held_by(came, start, start + every)
        )


def held_by(came, start, end):
    """The invocations of a stretch of time: how many were under way at its most, and how long the longest took."""
    under_way = [(at, seconds) for at, seconds, _ in came.invocations if at < end and at + seconds >= start]
    if not under_way:
        return ""
    most = max(sum(at <= other < at + seconds for at, seconds in under_way) for other, _ in under_way)
    return f"; {most} invocations at a time, the longest {max(seconds for _, seconds in under_way):.1f} s"


def remarks(came):
    """What was seen to happen beside the delays."""
    done = ", ".join(f"{kind} {count}" for kind, count in sorted(came.answers.items()))
    say(
        f"     requests to the bad ones: {done or 'none'}; the API refused {came.refused}; "
        f"the load was late by {came.late:.2f} s at most"
    )


def missed(runs, limit):
    """What was too slow for the limit, or never came, in a line each; the whole runs count, onset included."""
    well = [delay for came in runs if came.plan.kind == "well" for delay in parts(came)["whole"]]
    for came in runs:
        plan = came.plan
        ratio = percentile(parts(came)["whole"], 0.99) / percentile(well, 0.99)
        if plan.kind != "well" and not ratio <= limit:
            yield f"{plan.shape}, {plan.name}: the 99th percentile is {shown(ratio)} times that of all well"
        if came.missing:
            yield f"{plan.shape}, {plan.name}: {came.missing} deliveries to healthy integrations are missing"
