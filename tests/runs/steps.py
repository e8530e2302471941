"""The steps of a run up to the metrics of customers, for tests that go by hand."""

import graphlib

from assets import core, raw, staging

ASSETS = (
    raw.raw(),
    staging.staging(),
    core.shared,
    *core.TABLES,
    core.customer_metrics,
)


def in_order(assets):
    """The assets, each after those whose tables it reads."""
    makers = {key: asset for asset in assets for key in asset.keys}
    waits = {
        asset: {
            makers[dep.asset_key]
            for spec in asset.specs
            for dep in spec.deps
            if dep.asset_key in makers
        }
        - {asset}
        for asset in assets
    }
    return tuple(graphlib.TopologicalSorter(waits).static_order())


STEPS = in_order(ASSETS)


def take(step, run):
    """Make the tables of a step, without Dagster."""
    return list(step.op.compute_fn.decorated_fn(run))
