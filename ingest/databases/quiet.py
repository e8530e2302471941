"""How dlt is told to be quiet, before it is imported."""

# It tells its makers what it is used for, and warns of each column that holds JSON.
QUIET = {"RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "CRITICAL"}
