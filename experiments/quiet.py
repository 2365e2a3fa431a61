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
# logger -> part of a message of its that says nothing new
KNOWN = {
    "ray.rllib.algorithms.algorithm_config": "on the new API stack!",
    "ray._common.deprecation": "`RLModule(config=[RLModuleConfig object])` has been deprecated",  # RLlib's own call
    "ray.tune.utils.util": "Install gputil for GPU system monitoring",
    "ray._private.authentication.authentication_token_setup": "Token authentication is enabled",
}


class KnownMessage(logging.Filter):
    """Drops the log records that contain `text`."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is shown."""
        return self.text not in record.getMessage()


def quieten() -> None:
    """Sets the environment (without overruling the user's own) and the filters; doing it twice does no harm."""
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    warnings.filterwarnings("ignore", category=DeprecationWarning, module="ray")
    for name, text in KNOWN.items():
        logger = logging.getLogger(name)
        if not any(isinstance(known, KnownMessage) for known in logger.filters):
            logger.addFilter(KnownMessage(text))
