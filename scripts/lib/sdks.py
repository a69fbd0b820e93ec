"""The Python of the tests' SDKs: those of Split, Statsig and Amplitude, and a verifier of Standard Webhooks, from a lock."""

import locked
from project import ROOT


def python():
    """Its path; the tools' own environment has none of these packages."""
    return locked.environment("sdks", ROOT / "tests" / "e2e" / "sdks" / "requirements.txt")
