"""`fenji ui`: serve the Dagster UI and run its daemon, until interrupted.

Three processes: a code server that loads the project once, the webserver, and the
daemon with schedules and the sensor. Both ask the code server over a socket in a folder
of this user; without one they share, each would start another every minute.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from pipelines.commands import terminal
from project.errors import RunError
from project.folder import PROJECT_VARIABLE, Project

LOCATION = "fenji"
_CODE = "pipelines.definitions"
_LOOK_SECONDS = 0.5
_LONGEST_START_SECONDS = 120


def serve(project: Project, port: int) -> None:
    """Serve the Dagster UI and run its daemon until interrupted.

    Raises:
        RunError: a server ended by itself, or the project could not be loaded.
    """
    from pipelines.instance import prepare_home  # noqa: PLC0415

    environment = {
        **os.environ,
        "DAGSTER_HOME": str(prepare_home(project)),
        PROJECT_VARIABLE: str(project.root),
    }
    # A service manager ends a command with SIGTERM; its servers must end with it.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    children: list[subprocess.Popen[bytes]] = []

    def start(*arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", *arguments]
        children.append(subprocess.Popen(command, env=environment))  # noqa: S603
        return children[-1]

    with tempfile.TemporaryDirectory(prefix="fenji-") as folder:
        socket = Path(folder, "code.sock")
        workspace = Path(folder, "workspace.yaml")
        workspace.write_text(_workspace(socket), encoding="utf-8")
        try:
            named = ["-m", _CODE, "--location-name", LOCATION, "-s", str(socket)]
            quiet = ["--log-level", "warning"]
            server = start("dagster", "code-server", "start", *named, *quiet)
            _wait_until(socket.exists, server)
            at = ["-h", "127.0.0.1", "-p", str(port)]
            place = ["-w", str(workspace), *quiet]
            start("dagster_webserver", *at, *place)
            start("dagster._daemon", "run", *place)
            terminal.console().print(
                f"Dagster UI: http://127.0.0.1:{port}  (Ctrl+C stops)"
            )
            while all(child.poll() is None for child in children):
                time.sleep(_LOOK_SECONDS)
            raise RunError(
                f"--port {port}: the UI ended by itself; is the port taken? Name"
                " another"
            )
        except KeyboardInterrupt:
            terminal.console().print("Stopping the servers …")
        finally:
            for child in reversed(children):
                child.terminate()
            for child in children:
                child.wait()


def _workspace(socket: Path) -> str:
    """Where webserver and daemon find the code; JSON is YAML, too."""
    server = {"socket": str(socket), "location_name": LOCATION}
    return json.dumps({"load_from": [{"grpc_server": server}]})


def _wait_until(is_ready: Callable[[], bool], server: subprocess.Popen[bytes]) -> None:
    """Wait for the code server.

    Raises:
        RunError: it ended, or does not answer.
    """
    until = time.monotonic() + _LONGEST_START_SECONDS
    while not is_ready():
        if server.poll() is not None or time.monotonic() > until:
            raise RunError(
                "the project could not be loaded for the UI; what the lines above say"
                " is to be mended first, then: fenji ui"
            )
        time.sleep(_LOOK_SECONDS / 5)
