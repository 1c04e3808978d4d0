"""`python3 run.py chaos …`: `manage.py chaos` on ports and in a folder of its own, beside whatever else runs."""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from marketplace.embedded.children import LINUX, die_with

HOST = "127.0.0.1"


def run(root: Path, arguments: list[str], logs: Path | None = None) -> int:
    """Returns the exit code of `manage.py chaos`: 0 when nothing broke."""
    if not LINUX:
        print("This looks for processes to kill in /proc, so it needs Linux.")
        return 1
    usual = tempfile.gettempdir()
    folder = Path(tempfile.mkdtemp(prefix="milepost-chaos-", dir=usual if len(usual) <= 50 else "/tmp"))
    folder.chmod(0o711)
    logs = logs or root / "var" / "chaos"
    shutil.rmtree(logs, ignore_errors=True)
    for made in (logs, folder / "files", folder / "mail"):
        made.mkdir(parents=True)
    database, broker, site, behind = _free_ports(4)
    os.environ.update(
        DATABASE_URL=f"postgres://app@{HOST}:{database}/marketplace",
        REDIS_URL=f"redis://{HOST}:{broker}/0",
        SECRET_KEY=secrets.token_urlsafe(50),
        DEBUG="0",
        ALLOWED_HOSTS=HOST,
        SITE_URL=f"http://{HOST}:{site}",
        MEDIA_ROOT=str(folder / "files"),
        EMAIL_URL=f"filemail:///{folder / 'mail'}",
        BEHIND_PROXY="1",  # attempts to sign in are counted by person
        FILE_STORAGE="local",
        PAYMENT_GATEWAY="sandbox",
        SANDBOX_PROCESSING="5",
        SWEEP_SECONDS="2",
    )
    for other in ("REPLICA_URL", "DATABASE_POOLER", "SANDBOX_WEBHOOK_SECRET"):
        os.environ.pop(other, None)
    manage = [sys.executable, str(root / "manage.py")]
    (root / "var" / "static").mkdir(parents=True, exist_ok=True)
    command = [*manage, "chaos", f"--folder={folder}", f"--logs={logs}", "--site", str(site), str(behind), *arguments]
    try:
        with subprocess.Popen(command, cwd=root, preexec_fn=die_with(os.getpid(), signal.SIGTERM)) as chaos:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.signal(signal.SIGTERM, lambda *_: chaos.terminate())
            return chaos.wait()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _free_ports(count: int) -> list[int]:
    """Free now; taken a moment later by those who are told of them."""
    with ExitStack() as held:
        probes = [held.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind((HOST, 0))
        return [probe.getsockname()[1] for probe in probes]
