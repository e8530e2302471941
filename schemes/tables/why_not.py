"""Why a scheme or a work list does not run here, in both languages."""

from collections.abc import Container, Iterable

from schemes.compiler.compiled import CompiledScheme
from schemes.language.model import Text
from schemes.language.names import Inputs, in_words

SWITCHED_OFF = Text(en="switched off in fenji.yaml", zh="已在 fenji.yaml 中停用")
# What may be lacking, as `in_words` begins.
_NOUNS = {"feed": "数据源", "column": "字段", "scheme": "方案", "parameter": "参数"}


def why_not(scheme: CompiledScheme) -> Text | None:
    """Why the scheme does not run here; None where it does."""
    if not scheme.scheme.is_enabled:
        return SWITCHED_OFF
    missing = missing_words(scheme.inputs, scheme.inputs.schemes)
    return lacks(missing) if missing else None


def missing_words(inputs: Inputs, schemes: Container[str]) -> set[str]:
    """What is missing, in words such as `feed tickets` or `scheme rfm_8`.

    Args:
        inputs: what is there, and what is missing.
        schemes: the names that are schemes.
    """
    return {
        f"scheme {need}" if need in schemes else in_words(need, inputs)
        for need in inputs.missing
    }


def lacks(missing: Iterable[str]) -> Text:
    """What is lacking, such as `feed tickets`, as a reason."""
    lacking = sorted(missing)
    return Text(
        en=f"lacks {', '.join(lacking)}", zh=f"缺少{'、'.join(map(_zh, lacking))}"
    )


def _zh(need: str) -> str:
    noun, _, name = need.partition(" ")
    return f"{_NOUNS[noun]} {name.replace(' or ', ' 或 ')}"
