"""Why a scheme or a work list does not run here, in both languages."""

from collections.abc import Iterable

from schemes.compiler.compiled import CompiledScheme
from schemes.language.model import Text
from schemes.language.names import in_words

SWITCHED_OFF = Text(en="switched off in fenji.yaml", zh="已在 fenji.yaml 中停用")
# What may be lacking, as `in_words` begins.
_NOUNS = {"feed": "数据源", "column": "字段", "scheme": "方案", "parameter": "参数"}


def why_not(scheme: CompiledScheme) -> Text | None:
    """Why the scheme does not run here; None where it does."""
    if not scheme.scheme.is_enabled:
        return SWITCHED_OFF
    missing = {
        f"scheme {need}"
        if need in scheme.inputs.schemes
        else in_words(need, scheme.inputs)
        for need in scheme.inputs.missing
    }
    return lacks(missing) if missing else None


def lacks(missing: Iterable[str]) -> Text:
    """What is lacking, such as `feed tickets`, as a reason."""
    lacking = sorted(missing)
    return Text(
        en=f"lacks {', '.join(lacking)}", zh=f"缺少{'、'.join(map(_zh, lacking))}"
    )


def _zh(need: str) -> str:
    noun, _, name = need.partition(" ")
    return f"{_NOUNS[noun]} {name.replace(' or ', ' 或 ')}"
