"""The Chromium that browser tests drive."""

import os
import shutil
from pathlib import Path

from marketplace.embedded.children import CannotStart

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ON_A_MAC = ("Chromium.app/Contents/MacOS/Chromium", "Google Chrome.app/Contents/MacOS/Google Chrome")
HOW_TO_INSTALL = (
    "The browser tests need Chromium: install it (Debian and Ubuntu: apt-get install chromium), "
    "or set CHROMIUM to the path of one."
)


def find_chromium() -> str:
    """The path of Chromium: $CHROMIUM, else the one on PATH. Raises CannotStart, with what to install."""
    if chosen := os.environ.get("CHROMIUM"):
        if found := shutil.which(chosen):
            return found
        raise CannotStart(f"CHROMIUM names no program that can be run: {chosen}")
    on_path = (shutil.which(name) for name in NAMES)
    on_a_mac = (str(path) for name in ON_A_MAC if (path := Path("/Applications", name)).exists())
    if found := next(filter(None, (*on_path, *on_a_mac)), None):
        return found
    raise CannotStart(HOW_TO_INSTALL)
