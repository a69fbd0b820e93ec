"""Somebody at the console: a page of a real browser, and what is always true of it."""

import os
import time
from contextlib import contextmanager
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

#: For what comes by itself. A machine that has much else to do fails no test.
PATIENCE_MS = 60_000
expect.set_options(timeout=PATIENCE_MS)
#: The rules of WCAG 2 up to level AA, contrast among them.
RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}


@contextmanager
def visitor(
    browser, url, key, width=1440, scheme="light", refused=True, zone="UTC", clock=False, address="", is_held=lambda asked: False
):
    """A fresh browser profile at the console, where the API may refuse something or not. At the end nothing may have been
    complained of (what the policy forbids is), nobody else have been asked, and no key be kept. With a `clock` the page's
    timers are the test's: see `Visitor.pass_time`. `is_held` says whether the answer to a request is held back."""
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, locale="en-GB", timezone_id=zone, reduced_motion="reduce"
    )
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    one = Visitor(page, key, is_held)
    if clock:
        page.clock.install()
    complaints, elsewhere = [], []
    context.on("request", lambda asked: asked.url.startswith(f"{url}/") or elsewhere.append(asked.url))
    page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
    page.on("console", lambda message: message.type == "error" and complaints.append(message.text))
    try:
        page.goto(f"{url}/console{address}")
        yield one
        one.keeps_no_key()
        # A refused answer is told by the page, and by the browser too.
        unexpected = [said for said in complaints if not (refused and "the server responded with a status of" in said)]
        assert not unexpected, unexpected
        assert not elsewhere, elsewhere
    except BaseException:
        shot(page, "failed")
        raise
    finally:
        context.close()


def shot(page, name, whole=True):
    """Keeps what is to be seen: the whole page, or what is in sight, which a dialog is."""
    folder = Path(os.environ["FLAGPOST_TEST_SCREENSHOTS"])
    folder.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=folder / f"{name}.png", full_page=whole)


class Visitor:
    def __init__(self, page, key, is_held):
        self.page = page
        self.key = key
        self.is_held = is_held
        self.asking = set()
        page.on("request", lambda asked: self.asking.add(asked))
        page.on("requestfinished", lambda asked: self.asking.discard(asked))
        page.on("requestfailed", lambda asked: self.asking.discard(asked))

    def sign_in(self, key=None):
        self.page.get_by_label("Admin key").fill(key or self.key)
        self.page.get_by_role("button", name="Sign in").click()

    def open(self, name):
        self.page.get_by_role("link", name=name).click()
        expect(self.page.get_by_role("heading", level=1, name=name)).to_be_visible()

    def press(self, name):
        self.page.get_by_role("button", name=name, exact=True).click()

    def dialog(self):
        return self.page.get_by_role("dialog")

    def said(self):
        return self.page.locator("#said")

    def state(self):
        return self.page.locator(".health .badge")

    def shot(self, name):
        shot(self.page, name, whole=self.dialog().count() == 0)

    def pass_time(self, seconds=10):
        """So much time passes in the page, all at once; by itself, enough for one look at what is new."""
        expect(self.page.locator(".view.loaded")).to_be_attached()
        self.settle()
        self.page.clock.run_for(seconds * 1000)

    def stops_time(self):
        """No timer of the page goes off until `page.clock.resume()`, and whatever was asked is answered."""
        self.page.clock.pause_at(self.page.evaluate("Date.now()") + 1000)
        self.settle()

    def settle(self):
        """Whatever was asked is answered, but for what is held back, and the answers are dealt with."""
        deadline = time.monotonic() + PATIENCE_MS / 1000
        while waits := [asked.url for asked in self.asking if not self.is_held(asked)]:
            assert time.monotonic() < deadline, f"no answer to {waits}"
            self.page.wait_for_timeout(10)
        for _ in range(3):
            self.page.evaluate(
                "new Promise((go) => { const { port1, port2 } = new MessageChannel(); port1.onmessage = go; port2.postMessage(0); })"
            )

    def lets_go(self, held):
        """An answer that was held back arrives at last."""
        with self.page.expect_response(lambda answer: answer.url.split("?")[0].endswith(held.end)) as came:
            held.free()
        came.value.finished()
        self.settle()

    def fits(self):
        """Nothing sticks out at the side."""
        wide, room = self.page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
        assert wide <= room, f"{wide} px wide, with room for {room}"

    def is_accessible(self):
        found = Axe().run(self.page, options=RULES)
        assert found.violations_count == 0, found.generate_report()

    def keeps_no_key(self):
        kept = self.page.evaluate(
            "JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie, location.href, document.title,"
            " document.documentElement.outerHTML, [...document.querySelectorAll('input')].map((one) => one.value)])"
        )
        assert self.key not in kept, "the page keeps the key where others can read it"

    # By keyboard

    def tab_to(self, name, most=60):
        """Presses Tab until what has the focus is called so; whatever has it on the way must show that it has."""
        for _ in range(most):
            self.page.keyboard.press("Tab")
            called, outline = self.page.evaluate(
                "(() => { const at = document.activeElement; const style = getComputedStyle(at);"
                " const label = at.getAttribute('aria-label') ?? at.labels?.[0]?.textContent ?? at.textContent;"
                " return [label.trim(), style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2]; })()"
            )
            # After the last element the focus is the browser's own for one step.
            if self.page.evaluate("document.activeElement !== document.body"):
                assert outline, f"the focus on {called!r} cannot be seen"
            if called == name:
                return
        raise AssertionError(f"the keyboard does not reach {name!r}")
