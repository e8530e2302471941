"""How long the steps of the last run took, so that the next one tells what is left.

They are kept beside the warehouse. No figure depends on them: where they cannot be read
or written, the next run tells no time left.
"""

import contextlib
import json
from collections.abc import Mapping

from project.folder import Project


def former(project: Project) -> dict[str, float]:
    """Step → seconds of the last run; empty where there was none."""
    try:
        content = json.loads(project.step_seconds.read_text(encoding="utf-8"))
        return {str(step): float(took) for step, took in content.items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}


def remember(project: Project, seconds: Mapping[str, float]) -> None:
    """Keep them for the next run."""
    rounded = {step: round(took, 3) for step, took in seconds.items()}
    with contextlib.suppress(OSError):
        project.step_seconds.write_text(json.dumps(rounded) + "\n", encoding="utf-8")
