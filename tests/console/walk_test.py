"""The console in a real browser, against the stub: what an operator does with it, by mouse and by keyboard."""

import unittest

from playwright.sync_api import expect

from stand import Stand
from stub import BROKEN, HOSTILE, KEY, WAREHOUSE

SIZES = [(360, "light"), (360, "dark"), (1440, "light"), (1440, "dark")]
PATH = "/v1/projects/shop/integrations"


class Walk(Stand):
    def test_sign_in(self):
        with self.visit() as one:
            for wrong, told in (("not-the-key", "the key is not known"), ("a key", "A key is one line of visible ASCII")):
                one.sign_in(wrong)
                expect(one.page.get_by_role("alert")).to_contain_text(told)
                expect(one.page.get_by_label("Admin key")).to_be_focused()
            one.sign_in()
            expect(one.page.get_by_role("heading", level=1, name="Shop")).to_be_visible()
            one.page.reload()
            expect(one.page.get_by_role("heading", name="Sign in")).to_be_visible()
            one.sign_in()
            one.press("Forget the key")
            expect(one.page.get_by_role("heading", name="Sign in")).to_be_visible()

    def test_the_address_with_a_slash(self):
        with self.visit(address=f"/#/shop/{WAREHOUSE}") as one:
            one.sign_in()
            expect(one.page.get_by_role("heading", level=1, name="Warehouse")).to_be_visible()
            self.assertEqual(one.page.url, f"{self.stub.url}/console#/shop/{WAREHOUSE}")

    def test_how_long_it_waits_and_what_was_lost(self):
        self.world.integrations[BROKEN].hours[3] |= {"expired": 1200, "discarded": 34}
        with self.visit() as one:
            one.sign_in()
            row = one.page.get_by_role("row", name="Billing")
            expect(row.locator("[data-label=Waiting]")).to_have_text("255 eventsthe oldest for 5 min")
            expect(row.locator("[data-label=Expired]")).to_have_text("1,200 events")
            row = one.page.get_by_role("row", name="Warehouse")
            expect(row.locator("[data-label=Waiting]")).to_have_text("0 events")
            expect(row.locator("[data-label=Expired]")).to_have_text("0 events")
            one.open("Billing <b>export</b>")
            facts = one.page.locator(".facts")
            expect(facts).to_contain_text("Parked255 events in 6 deliveries, the oldest for 5 min")
            expect(facts).to_contain_text("Expired1,200Discarded34")

    def test_overview(self):
        with self.visit() as one:
            one.sign_in()
            row = one.page.get_by_role("row", name="Billing")
            expect(row).to_contain_text("Billing <b>export</b>")
            expect(row).to_contain_text("Breaker open")
            expect(row).to_contain_text("failure rate for 5 h, next probe")
            expect(row).to_contain_text("255 events")
            expect(one.page.get_by_role("row", name="Warehouse")).to_contain_text("Well")
            expect(one.page.get_by_role("row", name="Slack")).to_contain_text("Disabled")
            one.page.get_by_label("Project").select_option("web")
            expect(one.page.get_by_text("This project has no integrations.")).to_be_visible()
            one.page.go_back()
            expect(one.page.get_by_role("row", name="Warehouse")).to_be_visible()

    def test_what_the_endpoint_answered(self):
        with self.visit() as one:
            one.sign_in()
            one.open("Billing <b>export</b>")
            attempts = one.page.get_by_role("region", name="Attempts")
            expect(attempts.locator("tbody tr:not(.detail)")).to_have_count(20)
            opener = attempts.get_by_role("button").first
            opener.click()
            expect(opener).to_have_attribute("aria-expanded", "true")
            # As text: nothing of it became an element, and nothing ran.
            expect(attempts.locator("pre").first).to_have_text(HOSTILE)
            expect(one.page.locator("img")).to_have_count(0)
            one.press("Show older")
            expect(attempts.locator("tbody tr:not(.detail)")).to_have_count(40)
            one.page.get_by_label("Outcome").select_option("failed")
            expect(attempts.locator("tbody tr:not(.detail)")).to_have_count(20)
            one.press("Show older")
            expect(attempts.locator("tbody tr:not(.detail)")).to_have_count(27)
            chart = one.page.get_by_role("img", name="The last 24 hours")
            self.assertGreater(chart.locator("rect.parked").count(), 3)
            self.assertGreater(chart.locator("rect.delivered").count(), 20)
            expect(one.page.get_by_text("median")).to_be_visible()

    def test_new_attempts_come_by_themselves(self):
        with self.visit() as one:
            one.sign_in()
            one.open("Warehouse")
            rows = one.page.get_by_role("region", name="Attempts").locator("tbody tr:not(.detail)")
            expect(rows).to_have_count(20)
            rows.first.get_by_role("button").click()
            fresh = dict(self.world.integrations[WAREHOUSE].attempts[0])
            fresh |= {"id": "fresh", "at": fresh["at"] + 1000, "outcome": "too_large", "status": 413, "then": "split"}
            self.world.integrations[WAREHOUSE].attempts.insert(0, fresh)
            expect(rows.first).to_contain_text("too large")
            expect(rows.nth(1).get_by_role("button")).to_have_attribute("aria-expanded", "true")

    def test_what_cannot_be_loaded_leaves_the_rest(self):
        self.world.failing = {"attempts", "deliveries"}
        with self.visit() as one:
            one.sign_in()
            one.open("Warehouse")
            expect(one.page.get_by_role("alert").filter(has_text="an AWS service throttled or failed")).to_have_count(3)
            expect(one.state()).to_have_text("Well")
            expect(one.page.get_by_role("region", name="What would be sent")).to_contain_text("sample")
            self.world.failing = set()
            one.press("Refresh")
            expect(one.page.get_by_role("alert").filter(has_text="throttled")).to_have_count(0)
            expect(one.page.get_by_role("region", name="Attempts").locator("tbody tr:not(.detail)")).to_have_count(20)

    def test_pause_and_resume(self):
        with self.visit() as one:
            one.sign_in()
            one.open("Warehouse")
            expect(one.state()).to_have_text("Well")
            one.press("Pause")
            one.dialog().get_by_label("Reason").fill("the warehouse is being moved")
            one.dialog().get_by_role("button", name="Pause").click()
            expect(one.state()).to_have_text("Paused")
            expect(one.page.locator(".health")).to_contain_text("the warehouse is being moved")
            self.assertEqual(self.last("POST", "/pause"), {"reason": "the warehouse is being moved"})
            one.press("Resume")
            one.dialog().get_by_role("button", name="Resume and deliver the backlog").click()
            expect(one.state()).to_have_text("Well")
            expect(one.page.get_by_role("button", name="Pause")).to_be_focused()

    def test_resume_from_now_counts_first(self):
        with self.visit() as one:
            one.sign_in()
            one.open("Billing <b>export</b>")
            one.press("Pause")
            one.dialog().get_by_role("button", name="Pause").click()
            one.press("Resume")
            drop = one.dialog().get_by_role("button", name="Drop them and resume")
            expect(drop).to_be_hidden()
            one.dialog().get_by_role("button", name="Count what dropping").click()
            expect(one.dialog()).to_contain_text("This would drop 6 deliveries with 255 events, for good.")
            self.assertEqual(len(self.world.integrations[BROKEN].parked), 6)
            drop.click()
            # The drain that the pause interrupts is waited for.
            expect(one.dialog()).to_contain_text("Not yet: a drain has to end first")
            expect(one.said()).to_contain_text("Resumed; dropped 6 deliveries with 255 events.")
            self.assertEqual(self.world.integrations[BROKEN].parked, [])

    def test_test_send(self):
        with self.visit() as one:
            one.sign_in()
            one.open("Billing <b>export</b>")
            one.press("Send a test")
            one.dialog().get_by_label("Event").fill("{")
            one.dialog().get_by_role("button", name="Send").click()
            expect(one.dialog()).to_contain_text("The event is not JSON")
            one.dialog().get_by_label("Event").fill('{"key": "me"}')
            one.dialog().get_by_role("button", name="Send").click()
            expect(one.dialog().get_by_role("region", name="The answer")).to_contain_text(f"500\n\n{HOSTILE}")
            expect(one.dialog().get_by_role("region", name="The request")).to_contain_text("authorization: ***")
            self.assertEqual(self.last("POST", "/test"), {"event": {"key": "me"}})
            one.is_accessible()
            one.page.keyboard.press("Escape")
            expect(one.dialog()).to_have_count(0)
            expect(one.page.get_by_role("button", name="Send a test")).to_be_focused()

    def test_replay(self):
        with self.visit() as one:
            one.sign_in()
            one.open("Warehouse")
            one.press("Replay dead deliveries")
            one.dialog().get_by_role("button", name="Count first (dry run)").click()
            expect(one.dialog()).to_contain_text("This would replay 3 deliveries with 123 events.")
            self.assertEqual(len(self.world.integrations[WAREHOUSE].dead), 3)
            one.dialog().get_by_role("button", name="Replay 3 deliveries").click()
            expect(one.dialog()).to_contain_text("Replayed 3 deliveries with 123 events.")
            self.assertEqual(self.world.integrations[WAREHOUSE].dead, [])
            one.dialog().get_by_role("button", name="Close").click()
            expect(one.page.get_by_text("Nothing is dead.")).to_be_visible()

    def test_one_dead_delivery(self):
        with self.visit() as one:
            one.sign_in()
            one.open("Warehouse")
            one.page.get_by_role("button", name="Show the events of").first.click()
            expect(one.dialog()).to_contain_text(HOSTILE.replace('"', '\\"'))
            one.page.keyboard.press("Escape")
            one.page.get_by_role("button", name="Replay 0e").first.click()
            expect(one.said()).to_have_text("Replayed 40 events.")
            expect(one.page.get_by_role("button", name="Replay 0e")).to_have_count(2)

    def test_edit_a_template_with_its_preview(self):
        with self.visit() as one:
            one.sign_in()
            one.open("Warehouse")
            preview = one.page.get_by_role("region", name="What would be sent")
            expect(preview).to_contain_text('"key": "sample"')
            template = one.page.get_by_label("Template", exact=True)
            template.fill('{\n  "user": ${key\n}'.replace("}", "]"))
            expect(one.page.get_by_text("Template, line 2, column 11: `${` without `}`")).to_be_visible()
            expect(template).to_have_attribute("aria-invalid", "true")
            one.press("Go to the fault")
            expect(template).to_be_focused()
            self.assertEqual(template.evaluate("(area) => area.value.slice(area.selectionStart)")[:5], "${key")
            one.page.get_by_label("Sample event").fill('{"key": "me", "big": 12345678901234567890}')
            template.fill('{"user": "${key}", "big": ${big}}')
            expect(preview).to_have_text('{"user": "me", "big": 12345678901234567890}')
            expect(one.page.get_by_text("The filter wants this event.")).to_be_visible()
            one.page.get_by_label("Filter").fill('{"split": "x"}')
            expect(one.page.get_by_text("Filter, /split: must be a list of wanted values")).to_be_visible()
            one.page.get_by_label("Filter").fill('{"split": ["x"]}')
            expect(one.page.get_by_text("The filter wants this event.")).to_be_visible()
            one.press("Save")
            expect(one.said()).to_have_text("Saved as version 8. Functions learn of it within 30 s.")
            saved = {"filter": {"split": ["x"]}, "template": '{"user": "${key}", "big": ${big}}', "template_result": "json"}
            self.assertEqual(self.last("PATCH", WAREHOUSE), saved)

    def test_somebody_else_was_faster(self):
        with self.visit() as one:
            one.sign_in()
            one.open("Warehouse")
            self.world.integrations[WAREHOUSE].document |= {"version": 12, "template": "theirs"}
            one.page.get_by_label("Template", exact=True).fill("mine")
            one.press("Save")
            expect(one.said()).to_contain_text("Somebody else changed this integration meanwhile.")
            expect(one.page.get_by_label("Template", exact=True)).to_have_value("mine")
            one.press("Load what is saved")
            one.dialog().get_by_role("button", name="Lose it").click()
            expect(one.page.get_by_label("Template", exact=True)).to_have_value("theirs")

    def test_by_keyboard(self):
        with self.visit() as one:
            keys = one.page.keyboard
            expect(one.page.get_by_label("Admin key")).to_be_focused()
            keys.type(KEY)
            keys.press("Enter")
            expect(one.page.get_by_role("row", name="Warehouse")).to_be_visible()
            one.tab_to("Warehouse")
            keys.press("Enter")
            expect(one.page.get_by_role("heading", level=1, name="Warehouse")).to_be_visible()
            one.tab_to("Pause")
            keys.press("Enter")
            keys.type("by hand")
            keys.press("Enter")
            expect(one.state()).to_have_text("Paused")
            expect(one.page.get_by_role("button", name="Resume")).to_be_focused()
            keys.press("Enter")
            expect(one.dialog().get_by_role("button", name="Resume and deliver the backlog")).to_be_focused()
            keys.press("Space")
            expect(one.state()).to_have_text("Well")
            one.tab_to("Send a test")
            keys.press("Enter")
            expect(one.dialog().get_by_role("button", name="Send")).to_be_focused()
            keys.press("Enter")
            expect(one.dialog()).to_contain_text("delivered in 87 ms")
            keys.press("Escape")
            one.tab_to("Replay dead deliveries")
            keys.press("Enter")
            keys.press("Enter")
            expect(one.dialog().get_by_role("button", name="Replay 3 deliveries")).to_be_focused()
            keys.press("Enter")
            expect(one.dialog()).to_contain_text("Replayed 3 deliveries with 123 events.")
            keys.press("Escape")
            one.page.get_by_role("region", name="Attempts").get_by_role("button").first.wait_for()
            one.tab_to("Outcome")
            keys.press("Tab")
            keys.press("Tab")
            keys.press("Enter")
            expect(one.page.locator(".detail:visible")).to_have_count(1)
            one.tab_to("Template", most=90)
            keys.type("[${key}]")
            expect(one.page.get_by_role("region", name="What would be sent")).to_have_text("[sample]")
            one.tab_to("Save")
            keys.press("Enter")
            expect(one.said()).to_contain_text("Saved as version 8.")

    def test_every_size_and_scheme(self):
        for width, scheme in SIZES:
            with self.subTest(width=width, scheme=scheme), self.visit(width=width, scheme=scheme) as one:
                one.is_accessible()
                one.shot(f"sign-in-{width}-{scheme}")
                one.sign_in()
                expect(one.page.get_by_role("row", name="Billing")).to_contain_text("Breaker open")
                expect(one.page.get_by_role("row", name="Warehouse")).to_contain_text("Well")
                one.fits()
                one.is_accessible()
                one.shot(f"overview-{width}-{scheme}")
                one.open("Billing <b>export</b>")
                one.page.get_by_role("region", name="Attempts").get_by_role("button").first.click()
                one.page.get_by_label("Template", exact=True).fill('{"user": "${key}"')
                expect(one.page.get_by_role("region", name="What would be sent")).to_contain_text("sample")
                expect(one.page.get_by_role("button", name="Show the events of")).to_have_count(3)
                one.fits()
                one.is_accessible()
                one.shot(f"integration-{width}-{scheme}")
                one.press("Replay dead deliveries")
                one.dialog().get_by_role("button", name="Count first (dry run)").click()
                expect(one.dialog()).to_contain_text("This would replay 3 deliveries")
                one.fits()
                one.is_accessible()
                one.shot(f"replay-{width}-{scheme}")


if __name__ == "__main__":
    unittest.main()
