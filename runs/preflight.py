"""What is wrong with a project, found out before a run loads anything.

Settings, mappings, schemes and tags are judged together, in about a second: a slip in
the last line of `tags.yaml` is not told after an hour of loading. Files are not opened
here; what is wrong with them is found out when they are loaded, or by `fenji check`.
"""

from data_quality.gates import check_gates
from ingest.expression_check import check_expressions
from ingest.identity_model import trained
from project.folder import Project
from schemes.plan import make_plan
from sql.access import check_privacy
from sql.contracts import all_columns


def judge(project: Project, *, is_compiled: bool = False) -> None:
    """Refuse a project that a run could not finish with, whatever its files hold.

    Args:
        project: the project.
        is_compiled: whether a release was made by the same schemes, tags and settings:
            a day that brings rows and no other rules need not have them compiled twice.

    Raises:
        ConfigurationError: one line that names the file, the line and the field.
    """
    judge_settings(project)
    if not is_compiled:
        # With every column that there can be, so that every rule is looked at.
        make_plan(project, all_columns())


def judge_settings(project: Project) -> None:
    """Refuse what is wrong with `fenji.yaml` beside its `schemes:`.

    Raises:
        ConfigurationError: one line that names the file, the line and the field.
    """
    check_privacy(project)
    check_gates(project)
    check_expressions(project)
    trained.judge(project)
