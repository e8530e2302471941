"""`fenji ui`: serve the Dagster UI and run its daemon."""

import os
import signal
import subprocess
import sys
import time

from pipelines.commands import terminal
from project.errors import RunError
from project.folder import PROJECT_VARIABLE, Project


def serve(project: Project, port: int) -> None:
    """Serve the Dagster UI and run its daemon until interrupted."""
    from pipelines.instance import prepare_home  # noqa: PLC0415

    environment = {
        **os.environ,
        "DAGSTER_HOME": str(prepare_home(project)),
        PROJECT_VARIABLE: str(project.root),
    }
    where = ["-m", "pipelines.definitions"]
    web = ["dagster_webserver", "-h", "127.0.0.1", "-p", str(port), *where]
    daemon = ["dagster._daemon", "run", *where]
    # A service manager ends a command with SIGTERM; its servers must end with it.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    terminal.console().print(f"Dagster UI: http://127.0.0.1:{port}  (Ctrl+C stops)")
    children = [
        subprocess.Popen([sys.executable, "-m", *arguments], env=environment)  # noqa: S603
        for arguments in (web, daemon)
    ]
    try:
        while all(child.poll() is None for child in children):
            time.sleep(0.5)
        raise RunError(
            f"--port {port}: the UI ended by itself; is the port taken? Name another"
        )
    except KeyboardInterrupt:
        terminal.console().print("Stopping the servers …")
    finally:
        for child in children:
            child.terminate()
        for child in children:
            child.wait()
