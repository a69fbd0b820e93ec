"""What is left behind, and how: the key, a view, what was typed."""

import unittest

from playwright.sync_api import expect

from stand import Stand
from stub import WAREHOUSE

TEMPLATE = "[${key}]"


class Leaving(Stand):
    def open(self, one, name="Warehouse"):
        one.sign_in()
        one.open(name)
        expect(one.page.get_by_role("button", name="Show the events of")).to_have_count(3)

    def template(self, one):
        return one.page.get_by_label("Template", exact=True)

    def is_at_the_gate(self, one):
        expect(one.page.get_by_role("heading", name="Sign in")).to_be_visible()
        self.assertEqual(one.page.get_by_role("navigation").inner_text(), "")
        self.assertEqual(one.page.title(), "Flagpost")
        expect(one.page.get_by_role("button", name="Forget the key")).to_be_hidden()

    def test_no_browser_offers_to_keep_the_key(self):
        with self.visit() as one:
            field = one.page.get_by_label("Admin key")
            self.assertEqual(field.get_attribute("autocomplete"), "off")
            self.assertEqual(field.evaluate("(field) => field.type"), "text")
            self.assertEqual(field.evaluate("(field) => getComputedStyle(field).webkitTextSecurity"), "disc")
            self.assertFalse(field.evaluate("(field) => field.spellcheck"))

    def test_the_key_is_no_longer_taken(self):
        with self.visit(clock=True) as one:
            self.open(one)
            self.template(one).fill(TEMPLATE)
            one.press("Pause")
            one.dialog().get_by_label("Reason").fill("a reason")
            self.world.is_key_known = False
            one.pass_time()
            again = one.page.get_by_role("dialog", name="Sign in again")
            expect(again).to_contain_text("The API no longer takes the key (the key is not known).")
            expect(one.page.get_by_label("Admin key")).to_be_focused()
            one.is_accessible()
            one.shot("sign-in-again-1440-light")
            for _ in range(3):
                one.page.keyboard.press("Escape")
            expect(again).to_be_visible()
            # Nothing is asked for without a key.
            asked = len(self.world.sent)
            one.pass_time(60)
            one.settle()
            self.assertEqual(len(self.world.sent), asked)
            self.world.is_key_known = True
            one.sign_in()
            expect(again).to_have_count(0)
            expect(one.dialog().get_by_label("Reason")).to_have_value("a reason")
            one.page.keyboard.press("Escape")
            expect(self.template(one)).to_have_value(TEMPLATE)
            expect(one.page.get_by_text("the key is not known")).to_have_count(0)
            expect(one.page.get_by_role("button", name="Forget the key")).to_be_visible()
            # It looks by itself again.
            self.world.integrations[WAREHOUSE].pause = {"at": 0, "reason": "theirs"}
            one.pass_time()
            expect(one.state()).to_have_text("Paused")

    def test_the_key_is_no_longer_taken_while_it_loads(self):
        with self.visit(width=360, scheme="dark", clock=True) as one:
            one.sign_in()
            link = one.page.get_by_role("link", name="Warehouse")
            expect(link).to_be_visible()
            # It is the next view that is refused, and no look of this one.
            one.stops_time()
            self.world.is_key_known = False
            link.click()
            expect(one.page.get_by_role("dialog", name="Sign in again")).to_be_visible()
            one.page.clock.resume()
            one.fits()
            one.is_accessible()
            one.shot("sign-in-again-360-dark")
            self.world.is_key_known = True
            one.sign_in()
            expect(one.page.get_by_role("heading", level=1, name="Warehouse")).to_be_visible()

    def test_forget_the_key_while_it_loads(self):
        with self.visit() as one:
            one.sign_in()
            expect(one.page.get_by_role("row", name="Warehouse")).to_contain_text("Well")
            held = self.world.hold("GET", "/v1/projects")
            one.page.get_by_role("link", name="Flagpost").click()
            held.wait_until_asked()
            one.press("Forget the key")
            held.free()
            one.settle()
            self.is_at_the_gate(one)

    def test_a_slow_view_leaves_the_next_alone(self):
        with self.visit() as one:
            one.sign_in()
            expect(one.page.get_by_role("row", name="Warehouse")).to_contain_text("Well")
            held = self.world.hold("GET", "/v1/projects")
            one.page.get_by_role("link", name="Flagpost").click()
            held.wait_until_asked()
            one.page.evaluate(f"location.hash = '#/shop/{WAREHOUSE}'")
            expect(one.page.get_by_role("heading", level=1, name="Warehouse")).to_be_visible()
            held.free()
            one.settle()
            self.assertEqual(one.page.get_by_role("navigation").inner_text().split(), ["shop", "Warehouse"])

    def test_a_dialog_ends_with_its_view(self):
        with self.visit() as one:
            self.open(one)
            one.press("Pause")
            expect(one.dialog()).to_have_count(1)
            one.page.go_back()
            expect(one.page.get_by_role("row", name="Warehouse")).to_be_visible()
            expect(one.dialog()).to_have_count(0)

    def test_an_address_that_names_nothing(self):
        with self.visit(address="#/%") as one:
            one.sign_in()
            expect(one.page.get_by_role("alert")).to_contain_text("The address names nothing")
            one.page.get_by_role("link", name="Flagpost").click()
            expect(one.page.get_by_role("row", name="Warehouse")).to_be_visible()

    def test_what_is_not_saved_is_asked_about(self):
        with self.visit() as one:
            self.open(one)
            self.template(one).fill(TEMPLATE)
            for leaves in (
                lambda: one.page.get_by_role("link", name="shop").click(),
                lambda: one.page.go_back(),
                lambda: one.press("Forget the key"),
                lambda: one.press("Load what is saved"),
            ):
                leaves()
                one.dialog().get_by_role("button", name="Keep writing").click()
                expect(one.dialog()).to_have_count(0)
                expect(self.template(one)).to_have_value(TEMPLATE)
                expect(one.page).to_have_url(f"{self.stub.url}/console#/shop/{WAREHOUSE}")
            one.page.get_by_role("link", name="shop").click()
            one.is_accessible()
            one.page.keyboard.press("Escape")
            expect(self.template(one)).to_have_value(TEMPLATE)
            # What is saved, or as it was, is not asked about.
            one.press("Save")
            expect(one.said()).to_contain_text("Saved as version 8.")
            one.page.get_by_role("link", name="shop").click()
            expect(one.page.get_by_role("row", name="Warehouse")).to_be_visible()
            one.open("Warehouse")
            self.template(one).fill("other")
            one.page.get_by_role("link", name="shop").click()
            one.dialog().get_by_role("button", name="Lose it").click()
            expect(one.page.get_by_role("row", name="Warehouse")).to_be_visible()

    def test_the_browser_asks_too(self):
        with self.visit() as one:
            asked = []
            one.page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
            self.open(one)
            self.template(one).fill(TEMPLATE)
            self.template(one).fill("")
            one.page.reload()
            self.assertEqual(asked, [])
            self.open_again(one)
            self.template(one).fill(TEMPLATE)
            one.page.reload()
            self.assertEqual(asked, ["beforeunload"])
            self.is_at_the_gate(one)

    def open_again(self, one):
        one.sign_in()
        expect(self.template(one)).to_be_visible()

    def test_line_ends_stay_as_they_are(self):
        self.world.integrations[WAREHOUSE].document |= {"template": "a\r\nb", "template_result": "text"}
        with self.visit() as one:
            self.open(one)
            one.page.get_by_label("Filter").fill('{"split": ["x"]}')
            one.press("Save")
            expect(one.said()).to_contain_text("Saved as version 8.")
            self.assertEqual(self.last("PATCH", WAREHOUSE), {"filter": {"split": ["x"]}})
            self.template(one).fill("a\nb\nc")
            one.press("Save")
            expect(one.said()).to_contain_text("Saved as version 9.")
            self.assertEqual(self.last("PATCH", WAREHOUSE), {"template": "a\r\nb\r\nc"})


class GoingBack(Stand):
    """With the browser's own cache of pages, from which a page comes back with all of its memory."""

    without = ("--disable-back-forward-cache",)

    def test_the_key_is_forgotten(self):
        # As by a browser that keeps the page in spite of what the header asks.
        self.world.kept = "no-cache"
        with self.visit() as one:
            one.page.evaluate("addEventListener('pageshow', (event) => (globalThis.wasKept = event.persisted))")
            one.sign_in()
            one.open("Warehouse")
            expect(one.page.get_by_role("region", name="Attempts").locator("tbody tr")).not_to_have_count(0)
            one.page.goto(f"{self.stub.url}/console/style.css")
            one.page.go_back(wait_until="commit")
            expect(one.page.get_by_role("heading", name="Sign in")).to_be_visible()
            self.assertTrue(one.page.evaluate("globalThis.wasKept"), "the browser did not keep the page: this shows nothing")
            expect(one.page.get_by_text("Warehouse")).to_have_count(0)
            self.assertEqual(one.page.title(), "Flagpost")
            one.sign_in()
            expect(one.page.get_by_role("heading", level=1, name="Warehouse")).to_be_visible()


if __name__ == "__main__":
    unittest.main()
