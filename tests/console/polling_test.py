"""What the console does while it stays open: it looks anew, and nothing that is shown goes back, doubles, or loses the focus."""

import unittest

from playwright.sync_api import expect

from stand import Stand
from stub import BROKEN, SLACK, WAREHOUSE, Integration, attempt

STATUS = f"/{WAREHOUSE}/status"


class Polling(Stand):
    def open(self, one, name="Warehouse"):
        one.sign_in()
        one.open(name)
        expect(self.rows(one)).to_have_count(20)
        expect(one.page.get_by_role("button", name="Show the events of")).to_have_count(3)

    def rows(self, one):
        return one.page.get_by_role("region", name="Attempts").locator("tbody tr:not(.detail)")

    def polls(self, one, path):
        """A look at what is new, up to the answer to this."""
        with one.page.expect_response(lambda answer: answer.url.split("?")[0].endswith(path)) as came:
            one.pass_time()
        came.value.finished()
        one.settle()

    def test_a_late_answer_is_not_news(self):
        with self.visit(clock=True) as one:
            self.open(one)
            held = self.world.hold("GET", STATUS)
            one.pass_time()
            held.wait_until_asked()
            one.press("Pause")
            one.dialog().get_by_role("button", name="Pause").click()
            expect(one.state()).to_have_text("Paused")
            one.lets_go(held)
            self.assertEqual(one.state().inner_text(), "Paused")

    def test_looks_do_not_overlap(self):
        with self.visit(clock=True) as one:
            self.open(one)
            held = self.world.hold("GET", STATUS)
            one.pass_time()
            held.wait_until_asked()
            asked = self.count("GET", STATUS)
            one.pass_time(60)
            one.settle()
            self.assertEqual(self.count("GET", STATUS), asked)
            one.lets_go(held)
            self.polls(one, STATUS)
            self.assertEqual(self.count("GET", STATUS), asked + 1)

    def test_every_attempt_is_listed_in_its_place(self):
        tried = self.world.integrations[WAREHOUSE].attempts
        newest = tried[0]["at"]

        def adds(count, apart, state):
            for index in range(1, count + 1):
                at = newest + index * apart
                tried.insert(0, attempt(at, 0, False) | {"id": f"{at:013}-{state}", "status": 200 + index % 7})

        with self.visit(clock=True) as one:
            self.open(one)
            self.rows(one).first.get_by_role("button").click()
            adds(50, 100, "a")
            self.polls(one, "/attempts")
            expect(self.rows(one)).to_have_count(70)
            self.assertEqual(self.statuses(one), [tried["status"] for tried in tried[:70]])
            expect(self.rows(one).nth(50).get_by_role("button")).to_have_attribute("aria-expanded", "true")

            # A record that comes late belongs between those that came before it.
            late = newest - 100_000
            place = sum(one["at"] > late for one in tried)
            tried.insert(place, tried[0] | {"id": f"{late:013}-late", "at": late, "status": 418})
            self.polls(one, "/attempts")
            expect(self.rows(one)).to_have_count(71)
            expect(self.rows(one).nth(place)).to_contain_text("418")

            # More than one look takes: what is listed has no gap, and an end.
            newest = tried[0]["at"]
            adds(700, 10_000, "b")
            self.polls(one, "/attempts")
            expect(self.rows(one)).to_have_count(500)
            self.assertEqual(self.statuses(one), [tried["status"] for tried in tried[:500]])
            expect(one.page.get_by_text("The newest 500 are shown.")).to_be_visible()
            expect(one.page.get_by_role("button", name="Show older")).to_be_hidden()
            self.assertLessEqual(one.page.locator(".point").count(), 100)

    def test_a_part_without_attempts_is_not_the_end(self):
        self.world.reads = 10
        for tried in self.world.integrations[WAREHOUSE].attempts[:25]:
            tried["outcome"] = "failed"
        with self.visit() as one:
            self.open(one)
            one.page.get_by_label("Outcome").select_option("delivered")
            expect(self.rows(one)).to_have_count(5)

    def test_a_look_leaves_what_show_older_found(self):
        self.world.reads = 10
        tried = self.world.integrations[WAREHOUSE].attempts
        newest = tried[0]["at"]

        def adds(count, outcome, status):
            at = tried[0]["at"]
            for index in range(1, count + 1):
                new = attempt(at + index * 1000, 0, False) | {"outcome": outcome, "status": status}
                tried.insert(0, new | {"id": f"{new['at']:013}-{status}"})

        tried[65] |= {"outcome": "gone", "status": 410}
        with self.visit(clock=True) as one:
            self.open(one)
            one.page.get_by_label("Outcome").select_option("gone")
            hint = one.page.get_by_text("None among the newest. There may be older ones.")
            expect(hint).to_be_visible()
            for _ in range(2):
                self.polls(one, "/attempts")
                expect(hint).to_be_visible()
            # Fifty were read, and the next fifty have it, also after looks at what is new.
            one.press("Show older")
            expect(self.rows(one)).to_have_count(1)
            self.polls(one, "/attempts")
            self.assertEqual(self.statuses(one), [410])
            expect(one.page.get_by_role("button", name="Show older")).to_be_hidden()
            # What is new comes on top, also what came late.
            adds(12, "delivered", 200)
            adds(1, "gone", 411)
            adds(12, "delivered", 200)
            self.polls(one, "/attempts")
            expect(self.rows(one)).to_have_count(2)
            late = {"id": f"{newest + 500:013}-late", "at": newest + 500, "outcome": "gone", "status": 412}
            tried.insert(25, tried[0] | late)
            self.polls(one, "/attempts")
            expect(self.rows(one)).to_have_count(3)
            self.assertEqual(self.statuses(one), [411, 412, 410])
            # More than one look reads: it is said, and nothing that was found goes.
            missing = one.page.get_by_text("some of the newest may be missing")
            expect(missing).to_be_hidden()
            adds(1, "gone", 413)
            adds(60, "delivered", 200)
            self.polls(one, "/attempts")
            expect(missing).to_be_visible()
            self.assertEqual(self.statuses(one), [411, 412, 410])
            one.page.get_by_label("Outcome").select_option("")
            expect(self.rows(one)).to_have_count(20)
            expect(missing).to_be_hidden()

    def statuses(self, one):
        return [int(text) for text in self.rows(one).locator("td:nth-of-type(2)").all_inner_texts()]

    def test_a_fault_goes_when_it_is_over(self):
        with self.visit(clock=True) as one:
            self.open(one)
            fault = one.page.get_by_text("an AWS service throttled or failed")
            self.world.failing = {"status", "attempts", "deliveries"}
            self.polls(one, STATUS)
            expect(fault.first).to_be_visible()
            self.world.failing = set()
            self.polls(one, STATUS)
            expect(fault).to_have_count(0)
            expect(one.state()).to_have_text("Well")

    def test_the_focus_stays(self):
        with self.visit(clock=True) as one:
            one.sign_in()
            expect(one.page.get_by_role("row", name="Warehouse")).to_contain_text("Well")
            link = one.page.get_by_role("link", name="Warehouse")
            link.focus()
            self.world.integrations[BROKEN].state = "well"
            self.polls(one, f"/{BROKEN}/status")
            expect(one.page.get_by_role("row", name="Billing")).to_contain_text("Well")
            expect(link).to_be_focused()
            link.click()
            summary = one.page.get_by_text("The same in figures")
            summary.focus()
            one.page.keyboard.press("Enter")
            self.polls(one, STATUS)
            expect(summary).to_be_focused()
            expect(one.page.locator("details")).to_have_attribute("open", "")
            show = one.page.get_by_role("button", name="Show the events of").last
            show.focus()
            self.polls(one, "/deliveries")
            expect(show).to_be_focused()

    def test_refresh_while_it_loads(self):
        with self.visit() as one:
            held = self.world.hold("GET", "/shop/integrations")
            one.sign_in()
            held.wait_until_asked()
            one.press("Refresh")
            rows = one.page.locator("table.overview tbody tr")
            expect(rows).to_have_count(3)
            one.settle()
            held.free()
            expect(one.said()).to_have_text("Refreshed.")
            one.settle()
            self.assertEqual(rows.count(), 3)

    def test_health_at_a_glance(self):
        with self.visit(clock=True) as one:
            one.sign_in()
            rows = one.page.locator("table.overview tbody tr")
            expect(rows).to_contain_text(["Billing", "Warehouse", "Slack"])
            counts = one.page.get_by_role("list", name="How many there are").get_by_role("listitem")
            expect(counts).to_have_text(["3 integrations", "Breaker open 1", "Well 1", "Disabled 1"])
            self.world.integrations[BROKEN].state = "well"
            self.world.integrations[WAREHOUSE].pause = {"at": 0, "reason": "moved"}
            self.polls(one, STATUS)
            expect(rows).to_contain_text(["Warehouse", "Billing", "Slack"])
            expect(counts).to_have_text(["3 integrations", "Paused 1", "Well 1", "Disabled 1"])
            one.page.get_by_label("State").select_option("unwell")
            expect(rows).to_contain_text(["Warehouse"])
            one.page.get_by_label("State").select_option("")
            one.page.get_by_label("Name").fill("SLA")
            expect(rows).to_contain_text(["Slack"])
            one.page.get_by_label("Name").fill("none")
            expect(one.page.get_by_text("No integration is so called")).to_be_visible()
            one.page.get_by_label("Name").fill("")
            del self.world.integrations[SLACK]
            self.polls(one, STATUS)
            expect(rows).to_have_count(2)

    def test_a_thousand_integrations(self):
        for index in range(1001):
            id = f"02{index:030x}"
            self.world.integrations[id] = Integration(id, f"Copy {index:04}", 1_795_237_200_000)
        last = self.world.integrations[f"02{990:030x}"]
        last.state = "open"
        with self.visit(clock=True) as one:
            one.sign_in()
            rows = one.page.locator("table.overview tbody tr")
            expect(rows).to_have_count(1000)
            expect(one.page.get_by_text("Only the first 1,000 by name are shown.")).to_be_visible()
            expect(one.page.get_by_text("not looked at yet")).to_have_count(0)
            # Far down by name, and second.
            expect(rows.nth(1)).to_contain_text("Copy 0990")
            expect(one.page.get_by_role("list", name="How many there are")).to_contain_text("Breaker open 2")
            # What is in sight is looked at, and of the others some.
            before = len(self.world.asked)
            last.state = "well"
            self.polls(one, f"/{BROKEN}/status")
            expect(one.page.get_by_role("list", name="How many there are")).to_contain_text("Breaker open 1")
            self.assertLessEqual(len(self.world.asked) - before, 80)

    def test_what_lies_aside_comes_and_goes(self):
        dead = self.world.integrations[WAREHOUSE].dead
        with self.visit(clock=True) as one:
            self.open(one)
            shown = one.page.get_by_role("button", name="Show the events of")
            gone = dead.pop(0)["delivery"]
            one.press(f"Replay {gone}")
            expect(one.said()).to_contain_text("It is gone meanwhile")
            expect(shown).to_have_count(2)
            gone = dead.pop(0)["delivery"]
            one.press(f"Show the events of {gone}")
            expect(shown).to_have_count(1)
            dead.clear()
            self.polls(one, "/deliveries")
            expect(one.page.get_by_text("Nothing is dead.")).to_be_visible()


if __name__ == "__main__":
    unittest.main()
