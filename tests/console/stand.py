"""What the tests of the console stand on: a browser for all of them, and for each its own stub."""

import os
import unittest

from playwright.sync_api import sync_playwright

from stub import KEY, Stub
from visitor import visitor


class Stand(unittest.TestCase):
    #: What Playwright starts the browser with, and these tests without.
    without = ()

    @classmethod
    def setUpClass(cls):
        playwright = sync_playwright().start()
        cls.addClassCleanup(playwright.stop)
        cls.browser = playwright.chromium.launch(
            executable_path=os.environ["FLAGPOST_TEST_CHROMIUM"], ignore_default_args=list(cls.without) or None
        )
        cls.addClassCleanup(cls.browser.close)

    def setUp(self):
        self.stub = Stub()
        self.stub.start()
        self.addCleanup(self.stub.stop)
        self.addCleanup(self.the_key_goes_where_it_belongs)
        self.world = self.stub.world

    def visit(self, **how):
        return visitor(self.browser, self.stub.url, KEY, is_held=self.world.is_held, **how)

    def last(self, method, rest):
        """The body of the newest such request."""
        return next(body for asked, path, _, body in reversed(self.world.asked) if asked == method and path.endswith(rest))

    def count(self, method, rest):
        return sum(asked == method and path.endswith(rest) for asked, path, *_ in self.world.asked)

    def the_key_goes_where_it_belongs(self):
        """The key is in one header, and nowhere else of any request."""
        self.assertTrue(self.world.sent)
        for path, headers, body in self.world.sent:
            self.assertNotIn(KEY, path + body)
            self.assertEqual([name for name, value in headers if KEY in value and name.lower() != "authorization"], [], path)
            self.assertNotIn("Bearer null", dict(headers).values(), path)
