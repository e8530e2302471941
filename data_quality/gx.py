"""What is used of Great Expectations, imported without what no check needs.

By itself `import great_expectations` takes 2.3 s of CPU: it executes SciPy and Altair,
which two of its expectations use, and copies what its classes inherit, piece by piece.
This is the one module of Fenji that imports it, and takes half of that. All of Great
Expectations is there: what is put off is executed when it is asked for.

Only the step that checks imports this module.
"""

from data_quality.importing import fields_copied_once, lazily

# Each is used by an expectation, a page or a place of data that Fenji does not have.
_NOT_NEEDED = ("scipy.stats", "altair", "boto3", "jsonschema", "mistune", "tzlocal")

with lazily(*_NOT_NEEDED), fields_copied_once():
    from great_expectations.compatibility.pydantic import PrivateAttr
    from great_expectations.core import ExpectationSuite
    from great_expectations.execution_engine import ExecutionEngine
    from great_expectations.expectations import (
        Expectation,
        ExpectColumnValuesToBeBetween,
        ExpectColumnValuesToBeInSet,
        ExpectColumnValuesToNotBeNull,
        ExpectTableRowCountToBeBetween,
        UnexpectedRowsExpectation,
    )
    from great_expectations.expectations.expectation_configuration import (
        ExpectationConfiguration,
        parse_result_format,
    )
    from great_expectations.expectations.metrics.metric_provider import (
        MetricProvider,
        metric_value,
    )
    from great_expectations.validator.metric_configuration import MetricConfiguration
    from great_expectations.validator.validator import (
        ValidationDependencies,
        Validator,
    )

__all__ = [
    "ExecutionEngine",
    "ExpectColumnValuesToBeBetween",
    "ExpectColumnValuesToBeInSet",
    "ExpectColumnValuesToNotBeNull",
    "ExpectTableRowCountToBeBetween",
    "Expectation",
    "ExpectationConfiguration",
    "ExpectationSuite",
    "MetricConfiguration",
    "MetricProvider",
    "PrivateAttr",
    "UnexpectedRowsExpectation",
    "ValidationDependencies",
    "Validator",
    "metric_value",
    "parse_result_format",
]
