"""Child processes that never outlive us."""

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from marketplace.embedded import guard

LINUX = sys.platform == "linux"
PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)


class CannotStart(Exception):
    """Why a process could not be started, in one sentence for the person at the terminal."""


class Stop(BaseException):
    """Somebody pressed Ctrl-C or sent a signal."""


@dataclass(frozen=True)
class RunAs:
    """The unprivileged user that a process runs as."""

    user: int
    group: int


@dataclass(frozen=True)
class Child:
    process: "subprocess.Popen[bytes]"
    stop_with: signal.Signals
    is_server: bool


@dataclass
class Children:
    """Starts processes, each in its own session, and stops them: the servers when nobody uses them any more.

    Three things see to it that none is left behind: `stop`; the guard, a process that holds the other end
    of a pipe and stops everything when we are gone (even by kill -9); and on Linux the kernel, which
    signals each child when we die, in case the guard was killed as well.
    """

    # Open files that the guard keeps open until the last process is gone: a lock on the data.
    keep_open: Sequence[int] = ()
    # Set by a signal handler. An exception raised there could be lost in whatever Python is doing just then.
    asked_to_stop: bool = False
    _running: dict[str, Child] = field(default_factory=dict)
    _folders: list[Path] = field(default_factory=list)
    _guard: "subprocess.Popen[bytes] | None" = None

    def start(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        stop_with: signal.Signals = signal.SIGTERM,
        cwd: Path | None = None,
        log: Path,
        is_server: bool = False,
        run_as: RunAs | None = None,
    ) -> "subprocess.Popen[bytes]":
        """Start `command`; its output is appended to `log`. Call it from the main thread only.

        The kernel ties a child to the thread that made it, so a child of a short-lived thread would die with that.
        """
        with log.open("ab") as output:
            outputs = (output, output)
            return self._spawn(name, command, outputs, stop_with, is_server=is_server, cwd=cwd, run_as=run_as)

    def run(self, name: str, command: Sequence[str | Path], *, cwd: Path | None = None) -> str:
        """Run `command` to its end and return its standard output. Raises CannotStart when it fails."""
        with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
            self._spawn(name, command, (output, errors), cwd=cwd)
            code = self.finish(name)
            said, complained = (_all_of(file) for file in (output, errors))
        if code != 0:
            raise CannotStart(f"{name} failed:{indented(said + complained)}")
        return said

    def finish(self, name: str) -> int:
        """Wait for a child that ends by itself, and return its exit code. Raises Stop."""
        process = self._running[name].process
        while process.poll() is None:
            self.pause(0.02)
        del self._running[name]
        self._tell_guard(f"gone {process.pid}")
        return process.returncode

    def pause(self, seconds: float) -> None:
        """Sleep. Raises Stop if that is what we have been asked to do."""
        if self.asked_to_stop:
            raise Stop
        time.sleep(seconds)

    def folder(self) -> Path:
        """A new short-named folder of our own that goes when we go. Socket paths end at about 100 bytes."""
        usual = tempfile.gettempdir()
        folder = Path(tempfile.mkdtemp(prefix="milepost-", dir=usual if len(usual) <= 50 else "/tmp"))
        folder.chmod(0o711)
        self._folders.append(folder)
        self._tell_guard(f"folder {folder}")
        return folder

    def pid(self, name: str) -> int:
        """The number of a child's process, which leads its session."""
        return self._running[name].process.pid

    def ended(self) -> dict[str, int]:
        """The children that are no longer running, with their exit codes."""
        return {name: code for name, child in self._running.items() if (code := child.process.poll()) is not None}

    def bury(self, name: str) -> None:
        """Kill what is left of a child and its session, and forget it. One that was never started is no error."""
        if (child := self._running.pop(name, None)) is None:
            return
        leader = child.process.pid
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(leader, signal.SIGKILL)
        child.process.wait()
        self._tell_guard(f"gone {leader}")

    def stop(self) -> None:
        """Stop all of them and remove our folders. May be called twice."""
        waves: tuple[list[guard.Leader], ...] = ([], [])
        for child in self._running.values():
            waves[child.is_server].append((child.process.pid, child.stop_with))
        guard.stop(waves, meanwhile=self.ended)
        for child in self._running.values():
            if child.process.poll() is not None:
                self._tell_guard(f"gone {child.process.pid}")
        self._running.clear()
        for folder in self._folders:
            shutil.rmtree(folder, ignore_errors=True)
        self._folders.clear()
        if self._guard and self._guard.stdin:
            with suppress(BrokenPipeError):
                self._guard.stdin.close()
            self._guard.wait()
            self._guard = None

    def _spawn(
        self,
        name: str,
        command: Sequence[str | Path],
        outputs: tuple[IO[bytes], IO[bytes]],
        stop_with: signal.Signals = signal.SIGTERM,
        *,
        is_server: bool = False,
        cwd: Path | None = None,
        run_as: RunAs | None = None,
    ) -> "subprocess.Popen[bytes]":
        process = subprocess.Popen(
            command,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=outputs[0],
            stderr=outputs[1],
            start_new_session=True,
            preexec_fn=die_with(os.getpid(), stop_with) if LINUX else None,
            user=run_as.user if run_as else None,
            group=run_as.group if run_as else None,
            extra_groups=[] if run_as else None,
        )
        self._running[name] = Child(process, stop_with, is_server)
        self._tell_guard(f"{'server' if is_server else 'user'} {process.pid} {stop_with.value}")
        return process

    def _tell_guard(self, line: str) -> None:
        if self._guard is None:
            self._guard = subprocess.Popen(
                [sys.executable, "-I", "-S", guard.__file__],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                pass_fds=self.keep_open,
                cwd="/",
            )
        assert self._guard.stdin
        with suppress(BrokenPipeError):
            self._guard.stdin.write(f"{line}\n".encode())
            self._guard.stdin.flush()


def die_with(parent: int, how: signal.Signals) -> Callable[[], None]:
    """A `preexec_fn`: have Linux send `how` to this child when `parent` dies."""

    def in_the_child() -> None:
        _LIBC.prctl(PR_SET_PDEATHSIG, how.value)
        if os.getppid() != parent:  # it died before the line above
            os._exit(1)

    return in_the_child


def _all_of(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")


def last_lines(log: Path) -> str:
    """The end of a log file, to be shown below a sentence that says what failed."""
    return indented(log.read_text(errors="replace")) if log.exists() else ""


def indented(text: str, lines: int = 15) -> str:
    return "".join(f"\n    {line}" for line in text.strip().splitlines()[-lines:])
