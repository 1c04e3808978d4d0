"""The Chromium that browser tests drive."""

import os
import shutil
import subprocess
from pathlib import Path

from marketplace.embedded.children import CannotStart

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ON_A_MAC = ("Chromium.app/Contents/MacOS/Chromium", "Google Chrome.app/Contents/MacOS/Google Chrome")
HOW_TO_INSTALL = (
    "The browser tests need Chromium: install it (Debian and Ubuntu: apt-get install chromium), "
    "or set CHROMIUM to the path of one."
)


def find_chromium() -> str:
    """The path of Chromium, of $CHROMIUM or else on PATH; empty if there is none.

    Raises CannotStart when $CHROMIUM is wrong.
    """
    if chosen := os.environ.get("CHROMIUM"):
        if found := shutil.which(chosen):
            return found
        raise CannotStart(f"CHROMIUM names no program that can be run: {chosen}")
    on_path = (shutil.which(name) for name in NAMES)
    on_a_mac = (str(path) for name in ON_A_MAC if (path := Path("/Applications", name)).exists())
    return next(filter(None, (*on_path, *on_a_mac)), "")


def install_chromium(var: Path) -> str:
    """Install Debian's Chromium, which only root can, and return its path. Raises CannotStart."""
    apt_get = shutil.which("apt-get")
    if os.getuid() != 0 or apt_get is None:
        raise CannotStart(HOW_TO_INSTALL)
    print("Installing Chromium for the browser tests …", flush=True)
    with (var / "apt.log").open("w") as log:
        for command in (["update"], ["install", "--yes", "--no-install-recommends", "chromium"]):
            environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
            subprocess.run([apt_get, *command], env=environment, stdout=log, stderr=log, check=False)
    if found := find_chromium():
        return found
    raise CannotStart(f"apt-get could not install Chromium ({var / 'apt.log'} says why). {HOW_TO_INSTALL}")
