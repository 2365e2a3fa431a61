"""Keeps Ray's and RLlib's known, harmless messages off the screen; everything else is still shown.

`quieten` must run before Ray is imported for the first time, since Ray reads its environment then.
"""

from __future__ import annotations

import logging
import os
import warnings

ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",  # no statistics to Anyscale
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # Ray's future default; unset, it warns
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",  # our own TensorBoard and CSV files, not Tune's beside them
}
KNOWN = (
    "on the new API stack!",  # RLlib greets every algorithm
    "`RLModule(config=[RLModuleConfig object])` has been deprecated",  # RLlib's own call
    "Install gputil for GPU system monitoring",
    "Token authentication is enabled for this Ray cluster",
    "Started a local Ray instance",
)


class KnownMessages(logging.Filter):
    """Drops the log records that contain one of `KNOWN`."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is shown."""
        message = record.getMessage()
        return not any(known in message for known in KNOWN)


def quieten() -> None:
    """Sets the environment (without overruling the user's own) and the filters."""
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    warnings.filterwarnings("ignore", message="Initializing zero-element tensors is a no-op")
    warnings.filterwarnings("ignore", category=DeprecationWarning)
    import ray  # noqa: F401  (makes Ray's log handlers, which the filter is hung on)

    for handler in logging.getLogger("ray").handlers:
        if not any(isinstance(known, KnownMessages) for known in handler.filters):
            handler.addFilter(KnownMessages())
