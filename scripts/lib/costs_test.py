"""The model of costs, and what it makes of the page: run by scripts/test."""

import dataclasses
import unittest

import costs
import costs_page
from costs import Facts, Load, flow, lines, outage, standing, total
from project import Failed

FACTS = Facts()
SMALL = Load(100_000_000, 20, 10)
MILLION = 1_000_000


def quantity(facts, load, service, what):
    found = [line.quantity for line in lines(facts, load) if line.service == service and line.what == what]
    assert len(found) == 1, (service, what, found)
    return found[0]


class Inputs(unittest.TestCase):
    def test_each_price_says_what_it_is_of_and_what_it_was_checked_against(self):
        for name, price in FACTS.prices.items():
            with self.subTest(name):
                self.assertGreater(price["usd"], 0)
                self.assertIn(price["per"], (1, 1000, 10_000, MILLION))
                self.assertTrue(price["page"].startswith("https://aws.amazon.com/"))
                self.assertTrue(price["unit"] and price["checked"])

    def test_each_price_and_each_figure_is_used(self):
        billed = {line.price for line in lines(FACTS, SMALL)}
        self.assertEqual(set(FACTS.prices) - billed, {"s3_put", "s3_get", "s3_storage", "dynamodb_restore"})
        source = "".join((costs.ROOT / "scripts/lib" / name).read_text() for name in ("costs.py", "costs_page.py"))
        for name in FACTS.assumed:
            self.assertIn(f'"{name}"', source, name)
        for name in FACTS.measured:
            stem = name.removesuffix("_20").removesuffix("_500")
            self.assertTrue(f'"{name}"' in source or stem in source, name)

    def test_nothing_unknown_can_be_assumed(self):
        with self.assertRaises(KeyError):
            Facts(FACTS.template, endpoint_seconds=1)

    def test_the_template_says_what_stands_there(self):
        self.assertEqual((FACTS.window, FACTS.batch_size, FACTS.mappings, FACTS.functions), (10, 1000, 3, 4))
        self.assertEqual(FACTS.firings, 730 * 12 + 730 / 24)
        self.assertEqual(costs.period("rate(1 day)"), 86_400)
        self.assertEqual(costs.period("rate(5 minutes)"), 300)


class Model(unittest.TestCase):
    def test_a_line_goes_through_what_was_measured(self):
        self.assertEqual(FACTS.line("sent_bytes", 20), FACTS.measured["sent_bytes_20"])
        self.assertEqual(FACTS.line("sent_bytes", 500), FACTS.measured["sent_bytes_500"])

    def test_few_messages_are_an_invocation_each_and_many_fill_it(self):
        few = flow(FACTS, Load(1, 20, 1))
        self.assertAlmostEqual(few.gathered, 1, places=3)
        self.assertEqual(few.deliveries, 1)
        many = flow(FACTS, Load(1e12, 20, 1))
        self.assertEqual(many.gathered, 1000)
        large = flow(FACTS, Load(1e13, 500, 1))
        self.assertEqual(large.gathered, 6 * 1024 * 1024 // (FACTS.measured["message_bytes_500"] + 1024))

    def test_by_hand(self):
        # 100 million events in requests of 20: 5,000,000 messages, 1.9 a second; 5 pollers gather 1.9 * 10 / 5 each.
        of = flow(FACTS, SMALL)
        self.assertAlmostEqual(of.messages, 5e6 / 2_628_000)
        self.assertAlmostEqual(of.gathered, 1 + 5e6 / 2_628_000 * 2)
        self.assertEqual(of.deliveries, 1)
        invocations = 5e6 / of.gathered
        self.assertAlmostEqual(quantity(FACTS, SMALL, "Lambda", "batch: invocations"), invocations)
        # The log and the ledger, for each of ten integrations.
        self.assertAlmostEqual(quantity(FACTS, SMALL, "DynamoDB", "writes"), 2 * 10 * invocations)
        self.assertEqual(quantity(FACTS, SMALL, "SQS", "requests: send, receive, delete"), 15e6)
        self.assertEqual(quantity(FACTS, SMALL, "API Gateway", "requests"), 5e6)

    def test_ten_at_a_time_are_a_tenth_of_the_calls(self):
        ten = Facts(FACTS.template, messages_per_receive=10)
        self.assertEqual(quantity(ten, SMALL, "SQS", "requests: send, receive, delete"), 5e6 + 2 * 5e5)

    def test_messages_beyond_64_kb_count_as_several_requests(self):
        facts = Facts(FACTS.template)
        facts.measured["message_bytes_500"] = 100_000
        load = Load(500 * 1000, 500, 1)
        self.assertEqual(quantity(facts, load, "SQS", "requests: send, receive, delete"), 1000 * (2 + 2 + 1))

    def test_what_is_asked_for_costs_more(self):
        plain = total(FACTS, lines(FACTS, SMALL))
        flags = [{name: True} for name in ("deduplicated", "one_each", "tenth_down")]
        for change in [*flags, {"compressed": False}, {"series": 42}]:
            with self.subTest(change):
                changed = dataclasses.replace(SMALL, **change)
                self.assertGreater(total(FACTS, lines(FACTS, changed)), plain)
        twice = quantity(FACTS, dataclasses.replace(SMALL, deduplicated=True), "DynamoDB", "writes")
        self.assertAlmostEqual(twice - quantity(FACTS, SMALL, "DynamoDB", "writes"), 2e8)

    def test_a_small_function_takes_longer_for_the_same_work(self):
        self.assertAlmostEqual(costs.slowed(1, 1769), 1)
        self.assertAlmostEqual(costs.slowed(1, 3538), 1, msg="one event's work is done by one processor")
        self.assertAlmostEqual(costs.slowed(1, 512), 1769 / 512)

    def test_without_an_event_there_is_what_stands(self):
        self.assertTrue(all(line.standing for line in standing(FACTS)))
        polls = [line.quantity for line in standing(FACTS) if line.what == "polling of empty queues"]
        self.assertEqual(polls, [3 * 5 * 2_628_000 / 20])

    def test_a_day_of_an_outage(self):
        of = outage(FACTS, dataclasses.replace(SMALL, integrations=1))
        invocations = flow(FACTS, dataclasses.replace(SMALL, integrations=1)).invocations * 86_400
        self.assertAlmostEqual(of.objects, invocations)
        self.assertAlmostEqual(of.writes, invocations * (4 + 1) + invocations)
        self.assertAlmostEqual(of.drain_hours, invocations / 12.5 / 3600)
        self.assertLess(of.usd, 1)


class Page(unittest.TestCase):
    def setUp(self):
        self.page = costs_page.OPERATIONS.read_text()

    def written(self, page):
        return costs_page.written(costs_page.OPERATIONS, page, FACTS)

    def test_the_tables_are_these(self):
        for path in costs_page.PAGES:
            page = path.read_text()
            self.assertTrue(costs_page.written(path, page, FACTS) == page, f"{path.name}: run scripts/costs")

    def test_a_wrong_figure_is_put_right_and_nothing_else_is_touched(self):
        wrong = self.page.replace("| **in all** |", "| **in all!** |", 1)
        self.assertNotEqual(wrong, self.page)
        self.assertTrue(self.written(wrong) == self.page)

    def test_a_missing_table_is_told(self):
        with self.assertRaises(Failed):
            self.written(self.page.replace("<!-- scripts/costs: loads -->", ""))

    def test_figures_are_short(self):
        self.assertEqual([costs_page.usd(value) for value in (0.004, 1.25, 99.9, 1234.5)], ["0.00", "1.25", "99.90", "1,234"])
        figures = [costs_page.number(value) for value in (1.0, 8790.0, 0.0038, 1.06)]
        self.assertEqual(figures, ["1", "8,790", "0.0038", "1.1"])


if __name__ == "__main__":
    unittest.main()
