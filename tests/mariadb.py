"""A MariaDB of the tests' own, where the machine has one (mariadb-server)."""

import shutil
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

_SECONDS = 60


@contextmanager
def started():
    """The path of the socket of a server that nobody else reaches.

    The test is skipped where none is installed or none starts.
    """
    install, server = shutil.which("mariadb-install-db"), _found("mariadbd")
    if install is None or server is None:
        pytest.skip("MariaDB is not installed here: apt install mariadb-server")
    # The path of a socket may have a hundred characters only.
    folder = Path(tempfile.mkdtemp(prefix="fenji-mariadb-"))
    try:
        common = ["--no-defaults", f"--datadir={folder / 'data'}", f"--user={_user()}"]
        subprocess.run(
            [
                install,
                *common,
                "--auth-root-authentication-method=normal",
                "--skip-test-db",
            ],
            check=True,
            capture_output=True,
            timeout=_SECONDS,
        )
        running = subprocess.Popen(
            [
                server,
                *common,
                f"--socket={folder / 'socket'}",
                f"--pid-file={folder / 'pid'}",
                "--skip-networking",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            until = time.monotonic() + _SECONDS
            while not (folder / "socket").exists():
                if running.poll() is not None or time.monotonic() > until:
                    pytest.skip("MariaDB does not start here")
                time.sleep(0.05)
            yield folder / "socket"
        finally:
            running.terminate()
            running.wait(timeout=_SECONDS)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _found(name):
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/libexec")


def _user():
    """As whom it runs: root is refused unless it is named."""
    import getpass  # noqa: PLC0415

    return getpass.getuser()
