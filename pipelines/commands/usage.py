"""What is wrong with a call of the command line: one line that says the way out.

Every line has the form of all errors, `--as-of: 'x' is not a date; write …`. Values
that only Fenji can judge, such as dates and ids, are judged by the commands.
"""

import re

from typer.exceptions import TyperException

from project.documents import nearest

_HELP = "; --help says what is asked for"


def usage_line(err: TyperException) -> str:
    """The problem of a call that Typer refused."""
    param, option = getattr(err, "param", None), getattr(err, "option_name", None)
    if param is not None:
        return _of_parameter(param, str(err))
    if option is not None:
        known = getattr(err, "possibilities", None)
        if known is None:
            return f"{option}: needs a value{_HELP}"
        where = _called(err)
        return f"{option}: is no option of {where}{nearest(option, list(known))}{_HELP}"
    return _of_call(err)


def _of_parameter(param: object, said: str) -> str:
    """What is wrong with the value of an option or an argument."""
    shown = getattr(param, "metavar", None) or getattr(param, "name", "")
    is_option = getattr(param, "param_type_name", None) == "option"
    name = param.opts[0] if is_option else str(shown).upper()  # type: ignore[attr-defined]
    if said.startswith("Missing parameter"):
        return f"{name}: is missing{_HELP}"
    said = said.removeprefix("Value error, ").removesuffix(".")
    if re.match(r"Input should be a valid (integer|number)", said):
        said = "must be a whole number"
    said = said.replace("Input should be", "must be")
    return said if name in said else f"{name}: {said}"


def _of_call(err: TyperException) -> str:
    """What is wrong with the call as a whole."""
    said = str(err).removesuffix(".")
    unknown = re.match(r"No such command '(.*?)'", said)
    if unknown:
        known = list(getattr(getattr(err, "cmd", None), "commands", {}))
        hint = nearest(unknown[1], known)
        return f"{unknown[1]}: is no command{hint}; `fenji --help` lists them"
    extra = re.match(r"Got unexpected extra arguments?(?:\(s\))? \((.*)\)", said)
    if extra:
        return f"{extra[1]}: is more than {_called(err)} takes{_HELP}"
    return said


def _called(err: TyperException) -> str:
    """The command that was called, as users write it."""
    name = getattr(getattr(err, "cmd", None), "name", None)
    return "`fenji`" if name in {None, "fenji"} else f"`fenji {name}`"
