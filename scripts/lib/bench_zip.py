"""The size of a function as it is deployed: a zip with the binary as `bootstrap`."""

import io
import zipfile

TARGET = 6 * 1000 * 1000


def zip_bytes(binary):
    """Deflated with the usual level, as SAM does it."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(binary, "bootstrap")
    return len(packed.getvalue())


def verdict(size, target=TARGET):
    """Whether it is small enough, and the line that says so."""
    met = size <= target
    line = f"  zip of the batch function: {size / 1e6:.2f} MB, target at most {target / 1e6:.0f} MB: "
    return met, line + ("met" if met else "MISSED")
