"""What the console shows is what there is: every digit of a number, every hour of a zone, and what a figure counts."""

import json
import re
import unittest

from playwright.sync_api import expect

from stand import Stand
from stub import BROKEN, WAREHOUSE, attempt, laid

#: 2^53 + 1, which no number of JavaScript's is, and one that is spelled with a nought at its end.
LARGE, SPELLED = "9007199254740993", "1.10"


class Figures(Stand):
    def open(self, one, name="Warehouse"):
        one.sign_in()
        one.open(name)
        expect(one.page.get_by_role("button", name="Show the events of")).to_have_count(3)

    def patched(self):
        """The text of the last PATCH."""
        return [body for path, _, body in self.world.sent if path.endswith(WAREHOUSE) and body][-1]

    def test_numbers_keep_their_digits(self):
        numbers = {"key": [f"number:{LARGE}", {"numeric": ["<", f"number:{SPELLED}"]}], "a \"b\": {}": []}
        self.world.integrations[WAREHOUSE].document["filter"] = numbers
        with self.visit() as one:
            self.open(one)
            filter = one.page.get_by_label("Filter")
            spelled = f'{{\n  "key": [\n    {LARGE},\n    {{\n      "numeric": [\n        "<",\n        {SPELLED}\n      ]\n    }}\n  ],\n'
            expect(filter).to_have_value(spelled + '  "a \\"b\\": {}": []\n}')
            one.page.get_by_label("Template", exact=True).fill("[${key}]")
            one.press("Save")
            expect(one.said()).to_contain_text("Saved as version 8.")
            self.assertEqual(json.loads(self.patched()), {"template": "[${key}]", "template_result": "json"})
            # Another number, though JavaScript takes both for the same.
            filter.fill(filter.input_value().replace(LARGE, "9007199254740992"))
            one.press("Save")
            expect(one.said()).to_contain_text("Saved as version 9.")
            self.assertIn("9007199254740992", self.patched())
            self.assertIn(SPELLED, self.patched())
            self.assertEqual(list(json.loads(self.patched())), ["filter"])

    def test_events_keep_their_digits(self):
        self.world.events = [{"at": f"number:{LARGE}", "price": f"number:{SPELLED}", "none": [], "text": 'a "b", {c: 1.0}'}]
        with self.visit() as one:
            self.open(one)
            one.page.get_by_role("button", name="Show the events of").first.click()
            events = one.dialog().get_by_role("region", name="Events")
            told = f'{{\n  "at": {LARGE},\n  "price": {SPELLED},\n  "none": [],\n  "text": "a \\"b\\", {{c: 1.0}}"\n}}'
            self.assertEqual(events.inner_text(), told)

    def test_hours_of_a_zone_with_half_an_hour(self):
        with self.visit(zone="Asia/Kolkata") as one:
            self.open(one)
            chart = one.page.get_by_role("img", name="The last 24 hours")
            ticks = [text for text in chart.locator("text").all_text_contents() if ":" in text]
            self.assertEqual(len(ticks), 4)
            self.assertTrue(all(text.endswith(":30") for text in ticks), ticks)
            expect(one.page.get_by_text(re.compile(r"Times are those of Asia/(Kolkata|Calcutta) \(UTC\+05:30\)\."))).to_have_count(1)

    def test_what_the_figures_are_of(self):
        # Of the newest 100, every third was slow and failed.
        tried = self.world.integrations[WAREHOUSE].attempts
        tried[:] = [attempt(tried[0]["at"], index, sick=index % 3 == 0) for index in range(300)]
        with self.visit() as one:
            self.open(one)
            expect(one.page.get_by_text("Latency of 100 attempts: median")).to_be_visible()
            expect(one.page.locator(".point.failed")).to_have_count(34)
            one.page.get_by_label("Outcome").select_option("failed")
            expect(one.page.get_by_role("region", name="Attempts").locator("tr.not-delivered")).to_have_count(20)
            expect(one.page.locator(".point.delivered")).to_have_count(66)
            expect(one.page.get_by_text("Of the newest 100 attempts, of any outcome")).to_be_visible()
            expect(one.page.get_by_text("is the counter “scheduled”: an event is in it once for each time")).to_be_visible()

    def test_what_was_counted_is_replayed(self):
        integration = self.world.integrations[WAREHOUSE]
        with self.visit() as one:
            self.open(one)
            one.press("Replay dead deliveries")
            one.dialog().get_by_role("button", name="Count first (dry run)").click()
            act = one.dialog().get_by_role("button", name="Replay 3 deliveries")
            expect(act).to_be_visible()
            self.assertEqual(self.last("POST", "/replay"), {"dry_run": True})
            counted = self.world.counted
            # It dies after it was counted.
            integration.dead.append(laid("dead", counted + 1, 9))
            act.click()
            expect(one.dialog()).to_contain_text("Replayed 3 deliveries with 123 events.")
            asked = [body for method, path, _, body in self.world.asked if path.endswith("/deliveries/replay")]
            self.assertEqual(asked[1:], [{"to": counted}] * 2)
            self.assertEqual(len(integration.dead), 1)

    def test_where_the_answer_names_no_end(self):
        """As of an API that is older than the page."""
        self.world.names_end = False
        with self.visit() as one:
            self.open(one, "Billing <b>export</b>")
            one.press("Replay dead deliveries")
            one.dialog().get_by_role("button", name="Count first (dry run)").click()
            one.dialog().get_by_role("button", name="Replay 3 deliveries").click()
            expect(one.dialog()).to_contain_text("Replayed 3 deliveries with 123 events.")
            self.assertEqual(self.last("POST", f"/{BROKEN}/deliveries/replay"), {})


if __name__ == "__main__":
    unittest.main()
