"""Keeps Ray's and RLlib's known, harmless messages off the screen, and a Ray of our own off the network.

`quieten` must run before Ray is imported for the first time, since Ray reads its environment then.
"""

from __future__ import annotations

import logging
import os
import warnings

ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",  # no statistics to Anyscale
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # Ray's future default; unset, it warns
    "RAY_raylet_start_wait_time_s": "120",  # a busy machine takes longer than Ray's 30 s to start it
    "RAY_CHDIR_TO_TRIAL_DIR": "0",  # paths in a configuration mean the same in a Tune trial as here
    "RAY_AIR_NEW_OUTPUT": "0",  # Tune's newer output has a banner even where nothing should be said
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",  # our own TensorBoard and CSV files, not Tune's beside them
}
# Ray listens on all interfaces, `ray.init(_node_ip_address="127.0.0.1")` or not, unless it may not form clusters; the
# variable is about Windows and macOS, where that is the default, and does the same on Linux
LOOPBACK = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
# logger -> part of a message of its that says nothing new
KNOWN = {
    "ray.rllib.algorithms.algorithm_config": "on the new API stack!",
    "ray._common.deprecation": "`RLModule(config=[RLModuleConfig object])` has been deprecated",  # RLlib's own call
    "ray.tune.utils.util": "Install gputil for GPU system monitoring",
    "ray.tune.tune": "Wrote the latest version of all result files",
    "ray.tune.schedulers.pbt": "[PopulationBasedTraining]",  # exchanges, at length; they are in .tune/pbt_global.txt
    "ray.tune.analysis.experiment_analysis": "Failed to fetch metrics for",  # they are in our progress.csv
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
    own_ray = {} if os.environ.get("RAY_ADDRESS") else LOOPBACK
    for name, value in (ENVIRONMENT | own_ray).items():
        os.environ.setdefault(name, value)
    warnings.filterwarnings("ignore", category=DeprecationWarning, module="ray")
    warnings.filterwarnings("ignore", message="Consider boosting PBT performance")
    for name, text in KNOWN.items():
        logger = logging.getLogger(name)
        if not any(isinstance(known, KnownMessage) for known in logger.filters):
            logger.addFilter(KnownMessage(text))
