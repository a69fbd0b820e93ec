"""The console in a real browser, against the deployed stack: what an operator does, and what an endpoint gets of it.

`scripts/console --stack` deploys one for it; `scripts/test` runs it against its own.
"""

import json
import os
import time
import unittest
from http.client import HTTPConnection
from urllib.parse import urlsplit

from playwright.sync_api import expect, sync_playwright

from shop import PAUSE_IS_KNOWN, Shop, Stack, total, until, waiting
from visitor import visitor

TEMPLATE = '{"key": "${input.key}", "plan": "gold", "flag": "${input.split?upper_case}"}'


class Walk(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = Stack()
        playwright = sync_playwright().start()
        cls.addClassCleanup(playwright.stop)
        cls.browser = playwright.chromium.launch(
            executable_path=os.environ["FLAGPOST_TEST_CHROMIUM"], args=cls.stack.browser_arguments
        )
        cls.addClassCleanup(cls.browser.close)
        # Its schedule runs out while the other tests are at work.
        cls.hit = Shop(cls.stack, cls.addClassCleanup)
        cls.well = cls.hit.integration("Warehouse")
        cls.failing = cls.hit.integration("Billing export")
        cls.failing.endpoint.status = 500
        cls.lost = cls.hit.post(12)

    def setUp(self):
        self.shop = Shop(self.stack, self.addCleanup)

    def visit(self, key=None, **how):
        return visitor(self.browser, self.stack.url, key or self.stack.key, refused=False, **how)

    def open(self, one, integration, shop=None):
        """From the sign-in to an integration."""
        one.sign_in()
        one.page.get_by_label("Project").select_option((shop or self.shop).id)
        one.open(integration.name)

    def fact(self, one, name):
        """What stands under this name in the summary."""
        return one.page.locator(".summary .facts div").filter(has=one.page.get_by_text(name, exact=True)).locator("dd")

    def test_the_address_with_a_slash(self):
        """The browser is sent on. The emulator leaves away the slash behind a single name, unless the stage is named too."""
        where = urlsplit(os.environ["FLAGPOST_TEST_ENDPOINT"])
        connection = HTTPConnection(where.hostname, where.port, timeout=60)
        self.addCleanup(connection.close)
        connection.request("GET", "/$default/console/", headers={"Host": f"{self.stack.api.host}:{where.port}"})
        answer = connection.getresponse()
        self.assertEqual((answer.status, answer.getheader("Location"), answer.read()), (308, "../console", b""))

    def test_edit_filter_and_template(self):
        integration = self.shop.integration("Warehouse")
        with self.visit() as one:
            self.open(one, integration)
            preview = one.page.get_by_role("region", name="What would be sent")
            expect(preview).to_contain_text('"environmentName"')
            template = one.page.get_by_label("Template", exact=True)
            template.fill('{\n  "key": "${input.key?shout}"\n}')
            expect(one.page.get_by_text("Template, line 2, column ")).to_be_visible()
            expect(template).to_have_attribute("aria-invalid", "true")
            one.press("Go to the fault")
            expect(template).to_be_focused()
            self.assertEqual(template.evaluate("(area) => area.value.slice(0, area.selectionStart).split('\\n').length"), 2)
            one.shot("stack-fault-1440-light")
            one.page.get_by_label("Sample event").fill('{"key": "me", "split": "checkout"}')
            template.fill(TEMPLATE)
            expect(preview).to_have_text('[{"key": "me", "plan": "gold", "flag": "CHECKOUT"}]')
            one.page.get_by_label("Filter").fill('{"split": "checkout"}')
            expect(one.page.get_by_text("Filter, /split: ")).to_be_visible()
            one.page.get_by_label("Filter").fill('{"split": ["search"]}')
            expect(one.page.get_by_text("The filter does not want this event.")).to_be_visible()
            one.page.get_by_label("Filter").fill('{"split": ["checkout"]}')
            expect(one.page.get_by_text("The filter wants this event.")).to_be_visible()
            one.press("Save")
            expect(one.said()).to_have_text("Saved as version 2. Functions learn of it within 30 s.")
            one.shot("stack-editor-1440-light")

            sent = []

            def is_new():
                sent.extend(self.shop.post(1))
                return any("plan" in event for request in integration.requests() for event in request.events)

            until("a delivery is as the new template has it", is_new)
            integration.gets(sent)
            made = [event for request in integration.requests() for event in request.events if "plan" in event]
            self.assertEqual({(event["plan"], event["flag"]) for event in made}, {("gold", "CHECKOUT")})
            self.assertEqual(set(made[0]), {"key", "plan", "flag"})

            # What the filter does not want does not come, and is counted.
            until("the filter is known", lambda: self.shop.post(1, "search") and total(integration.status(), "filtered"))
            one.press("Refresh")
            expect(self.fact(one, "Not wanted by the filter")).not_to_have_text("0")
            saved = self.stack.call("GET", integration.path)
            self.assertEqual((saved["filter"], saved["template"]), ({"split": ["checkout"]}, TEMPLATE))

    def test_look_at_what_is_well(self):
        integration = self.shop.integration("Warehouse")
        sent = self.shop.post(12) + self.shop.post(5)
        integration.gets(sent)
        with self.visit() as one:
            one.sign_in()
            one.page.get_by_label("Project").select_option(self.shop.id)
            row = one.page.get_by_role("row", name="Warehouse")
            expect(row).to_contain_text("Well")
            expect(row.locator("td").last).to_have_text("17")
            one.open("Warehouse")
            expect(one.state()).to_have_text("Well")
            expect(self.fact(one, "Delivered")).to_have_text("17")
            expect(self.fact(one, "Ledger")).to_have_text("balances")
            self.assertGreater(one.page.locator("rect.delivered").count(), 0)
            # The log is written when an invocation ends, and the page looks again by itself.
            attempts = one.page.get_by_role("region", name="Attempts")
            rows = attempts.locator("tbody tr:not(.detail)")
            expect(rows).to_have_count(len(integration.requests()))
            expect(rows.first).to_contain_text("delivered")
            expect(rows.first).to_contain_text("200")
            attempts.get_by_role("button").first.click()
            expect(attempts.locator("pre")).to_have_text("ok")
            shown = attempts.locator(".detail:visible").inner_text()
            self.assertTrue(any(request.delivery in shown for request in integration.requests()), shown)

    def test_pause_and_resume(self):
        integration = self.shop.integration("Warehouse")
        before = self.shop.post(3)
        integration.gets(before)
        with self.visit() as one:
            self.open(one, integration)
            one.press("Pause")
            one.dialog().get_by_label("Reason").fill("the warehouse is being moved")
            one.dialog().get_by_role("button", name="Pause").click()
            expect(one.state()).to_have_text("Paused")
            expect(one.page.locator(".health")).to_contain_text("the warehouse is being moved")
            time.sleep(PAUSE_IS_KNOWN)
            meanwhile = self.shop.post(10) + self.shop.post(10)
            integration.until("all is parked", lambda status: waiting(status) == (0, 20, 0))
            self.assertEqual(sorted(integration.taken()), before)

            one.press("Refresh")
            expect(self.fact(one, "Parked")).to_contain_text("20 events in ")
            one.page.get_by_label("State").select_option("parked")
            one.page.get_by_role("button", name="Show the events of").first.click()
            expect(one.dialog()).to_contain_text(meanwhile[0])
            one.page.keyboard.press("Escape")
            one.shot("stack-paused-1440-light")
            one.press("Resume")
            expect(one.dialog()).to_contain_text("Parked: 20 events in ")
            one.dialog().get_by_role("button", name="Resume and deliver the backlog").click()
            expect(one.state()).to_have_text("Well")
            integration.gets(before + meanwhile)
            one.press("Refresh")
            expect(self.fact(one, "Parked")).to_have_text("0 events in 0 deliveries")
            expect(one.page.get_by_text("Nothing is parked.")).to_be_visible()

    def test_send_a_test(self):
        integration = self.shop.integration("Warehouse", headers={"Authorization": "Bearer t0ken-that-nobody-sees"})
        integration.gets(self.shop.post(2))
        before = integration.status()
        with self.visit() as one:
            self.open(one, integration)
            one.press("Send a test")
            one.dialog().get_by_role("button", name="Send").click()
            expect(one.dialog().get_by_role("region", name="The answer")).to_have_text("200\n\nok")
            request = one.dialog().get_by_role("region", name="The request")
            expect(request).to_contain_text(f"POST {integration.endpoint.url}")
            expect(request).to_contain_text("authorization: ***")
            expect(request).not_to_contain_text("nobody-sees")
            one.shot("stack-test-1440-light")
            integration.endpoint.status = 503
            one.dialog().get_by_label("Event").fill('{"key": "me", "split": "checkout"}')
            one.dialog().get_by_role("button", name="Send").click()
            expect(one.dialog().get_by_role("region", name="The answer")).to_have_text("503\n\nout of order")
            one.page.keyboard.press("Escape")
            one.press("Refresh")
            expect(one.state()).to_have_text("Well")
            expect(self.fact(one, "Delivered")).to_have_text("2")
        tests = [one for one in integration.endpoint.requests if one.delivery.startswith("test_")]
        self.assertEqual([one.status for one in tests], [200, 503], "each was sent once")
        self.assertEqual(tests[1].events[0]["key"], "me")
        self.assertEqual(integration.status(), before, "neither health nor ledger knows of it")

    def test_what_an_outage_left_is_replayed(self):
        failing = self.failing
        failing.until("its schedule is over", lambda status: waiting(status) == (0, 0, 12))
        self.well.gets(self.lost)
        # More of it opens the breaker, and is parked.
        sent = list(self.lost)

        def is_open():
            sent.extend(self.hit.post(1))
            return failing.status()["state"] == "open"

        until("the breaker is open", is_open)
        parked = len(sent) - 12
        failing.until("all else is parked", lambda status: waiting(status) == (0, parked, 12))
        self.assertEqual(failing.taken(), {})

        own = self.hit.admin_key()
        for width, scheme in ((1440, "light"), (360, "dark")):
            with self.subTest(width=width, scheme=scheme), self.visit(own, width=width, scheme=scheme) as one:
                one.sign_in()
                row = one.page.get_by_role("row", name=failing.name)
                expect(row).to_contain_text("Breaker open")
                expect(row).to_contain_text("12 events")
                expect(one.page.get_by_role("row", name=self.well.name)).to_contain_text("Well")
                expect(one.page.get_by_label("Project")).to_have_count(0)
                one.fits()
                one.is_accessible()
                one.shot(f"stack-overview-{width}-{scheme}")
                one.open(failing.name)
                expect(one.state()).to_have_text("Breaker open")
                expect(self.fact(one, "Dead")).to_have_text("12")
                attempts = one.page.get_by_role("region", name="Attempts")
                one.page.get_by_label("Outcome").select_option("failed")
                attempts.get_by_role("button").first.click()
                expect(attempts.locator("pre")).to_have_text("out of order")
                expect(one.page.get_by_role("button", name="Show the events of")).to_have_count(1)
                expect(one.page.get_by_role("region", name="What would be sent")).to_contain_text("environmentName")
                one.fits()
                one.is_accessible()
                one.shot(f"stack-outage-{width}-{scheme}")

        with self.visit() as one:
            self.open(one, failing, self.hit)
            one.page.get_by_role("button", name="Show the events of").click()
            for key in self.lost:
                expect(one.dialog()).to_contain_text(json.dumps(key))
            one.page.keyboard.press("Escape")
            failing.endpoint.status = 200
            one.press("Replay dead deliveries")
            one.dialog().get_by_role("button", name="Count first (dry run)").click()
            expect(one.dialog()).to_contain_text("This would replay 1 delivery with 12 events.")
            one.dialog().get_by_role("button", name="Replay 1 delivery").click()
            expect(one.dialog()).to_contain_text("Replayed 1 delivery with 12 events.")
            one.shot("stack-replay-1440-light")
            one.dialog().get_by_role("button", name="Close").click()
            expect(one.page.get_by_text("Nothing is dead.")).to_be_visible()
            failing.gets(sent)
            expect(one.state()).to_have_text("Well")
            expect(self.fact(one, "Delivered")).to_have_text(str(len(sent)))
            expect(self.fact(one, "Ledger")).to_have_text("balances")
            one.shot("stack-mended-1440-light")


if __name__ == "__main__":
    unittest.main()
