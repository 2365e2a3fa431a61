"""What RLlib's own settings do here: which take effect, which are another name of ours, which are refused.

A configuration of RLlib has some 260 attributes, most of them for runners that handle one agent after the other, for
learning from files, or for RLlib's old interfaces. Whatever stands here neither as taking effect nor as an alias is
refused as soon as it differs from its default, however it was set: by a method, a dictionary or an attribute.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import Field
from functools import wraps
from inspect import Parameter, Signature
from typing import Any

from ray._common.deprecation import DEPRECATED_VALUE
from ray.rllib.callbacks.callbacks import RLlibCallback
from ray.rllib.utils import force_list

from envs import InvalidSetting
from envs.registry import nearest
from rllib_smfg.bounds import is_searched

# what RLlib itself, or Ray Tune, does with these is what it does for any algorithm
TAKES_EFFECT = frozenset((
    "algo_class", "env", "env_config", "env_runner_cls", "num_env_runners", "num_cpus_per_env_runner",
    "custom_resources_per_env_runner", "validate_env_runners_after_construction", "sample_timeout_s", "num_learners",
    "num_cpus_per_learner", "num_gpus_per_learner", "custom_resources_per_learner", "_learner_class",
    "learner_config_dict", "policies", "policy_mapping_fn", "policies_to_train", "count_steps_by", "callbacks_class",
    "callbacks_on_algorithm_init", "callbacks_on_train_result", "callbacks_on_evaluate_start",
    "callbacks_on_evaluate_end", "callbacks_on_env_runners_recreated", "callbacks_on_checkpoint_loaded",
    "callbacks_on_environment_created", "callbacks_on_sample_end", "in_evaluation", "evaluation_interval",
    "evaluation_duration", "evaluation_duration_unit", "evaluation_sample_timeout_s",
    "evaluation_auto_duration_min_env_steps_per_sample", "evaluation_auto_duration_max_env_steps_per_sample",
    "evaluation_parallel_to_training", "evaluation_unhealthy_workers_timeout_s",
    "evaluation_error_after_n_consecutive_skips", "evaluation_config", "evaluation_num_env_runners",
    "custom_evaluation_function", "min_time_s_per_iteration", "min_train_timesteps_per_iteration",
    "min_sample_timesteps_per_iteration", "stats_cls_lookup", "metrics_num_episodes_for_smoothing", "log_level",
    "log_sys_usage", "seed", "restart_failed_env_runners", "ignore_env_runner_failures",
    "max_num_env_runner_restarts", "delay_between_env_runner_restarts_s", "env_runner_health_probe_timeout_s",
    "env_runner_restore_timeout_s", "placement_strategy", "num_cpus_for_main_process",
    "custom_resources_for_main_process", "_validate_config", "_is_frozen", "simple_optimizer",
))  # fmt: skip
# RLlib sets these in the configuration of an evaluation, whatever it is
SET_FOR_EVALUATION = frozenset(("batch_mode", "rollout_fragment_length"))
# what an evaluation may have otherwise than the training
DIFFERS_IN_EVALUATION = frozenset((
    "env", "env_config", "explore", "evaluation_seed", "seed", "torch_threads", "num_env_runners",
    "num_cpus_per_env_runner", "custom_resources_per_env_runner", "sample_timeout_s", "callbacks", "callbacks_class",
    "callbacks_on_environment_created", "callbacks_on_sample_end", "log_level",
))  # fmt: skip
INSTEAD = {
    "num_epochs": "say updates_per_iteration",
    "minibatch_size": "say transitions_per_update (PopulationPPO: minibatches)",
    "shuffle_batch_per_epoch": "transitions are drawn anew for each update",
    "grad_clip": "gradients are not clipped; say huber_threshold, which bounds what errors count",
    "grad_clip_by": "PopulationPPO clips by the norm of all of a side's gradients",
    "rollout_fragment_length": "say years_per_iteration",
    "batch_mode": "episodes go on from one iteration to the next",
    "_model_config": "say hidden (units of each layer)",
    "model": "say hidden (units of each layer)",
    "_rl_module_spec": "networks follow from hidden, leader_view, follower_view and the game",
    "observation_space": "spaces are the game's",
    "action_space": "spaces are the game's",
    "num_gpus": "say device = 'cuda'",
    "num_gpus_per_env_runner": "runners act on the processor",
    "local_gpu_idx": "set CUDA_VISIBLE_DEVICES",
    "framework_str": "networks are torch's",
    "explore": "PopulationPPO learns from what it draws",
    "exploration_config": "say leader_noise, follower_noise, common_noise",
    "optimizer": "say actor_lr, critic_lr",
    "clip_rewards": "rewards are scaled by the game's own reward scale",
    "learner_class": "say .learners(learner_class=...)",
    "output": "play is not written to files",
    "create_local_env_runner": "the main process always has a runner",
    "evaluation_force_reset_envs_before_iteration": "every evaluation starts its games anew",
    "algorithm_config_overrides_per_module": "name the side in the setting, as leader_view, follower_view",
    "num_consecutive_env_runner_failures_tolerance": "lost runners are started again; say max_num_env_runner_restarts",
    "observation_filter": "observations are scaled by the game's own scaling",
    "use_kl_loss": "clipping alone keeps policies close; say clip_param",
    "kl_coeff": "clipping alone keeps policies close; say clip_param",
    "kl_target": "clipping alone keeps policies close; say clip_param",
}
METHODS = (
    "python_environment", "resources", "framework", "environment", "env_runners", "learners", "callbacks", "evaluation",
    "offline_data", "multi_agent", "reporting", "checkpointing", "debugging", "fault_tolerance", "rl_module",
    "experimental", "api_stack",
)  # fmt: skip
CONNECTORS = "observations are scaled by the game's own scaling, and actions are the game's"
CALLS_MADE = frozenset(
    name.removeprefix("callbacks_") for name in TAKES_EFFECT if name.startswith("callbacks_on_")
)  # of RLlibCallback


def refuse_what_changes_nothing(config: Any, ours: Iterable[str]) -> None:
    """Raises InvalidSetting, in one line, for the first setting that is neither `ours` nor takes effect here."""
    untouched, ours = defaults(type(config)), frozenset(ours)
    for name, value in vars(config).items():
        if name in ours or name in config.takes_effect or name in config.kept:
            continue
        if name not in untouched:
            if not name.startswith("_") and name not in ("class", "worker_index"):
                raise InvalidSetting(f"no setting '{name}'{nearest(name, [*ours, *untouched])}")
            continue
        if config.in_evaluation and name in SET_FOR_EVALUATION:
            continue
        if not _same(value, untouched[name]):
            raise refusal(config, name, value)
    for name, check in CHECKED.items():
        fault = check(config)
        if fault:
            raise InvalidSetting(f"{name} = {_short(getattr(config, name))}: {fault}")


def refusal(config: Any, name: str, value: Any) -> InvalidSetting:
    """What there is to say of a setting of RLlib's that changes nothing here."""
    shown = name.lstrip("_").removesuffix("_str")
    algorithm = getattr(config.algo_class, "__name__", "this algorithm")
    remedy = INSTEAD.get(name) or (CONNECTORS if "connector" in name else "leave it out")
    if name.startswith("callbacks_on_episode"):
        remedy = "episodes of many households are arrays; say on_sample_end, on_train_result or on_evaluate_end"
    return InvalidSetting(f"{shown} = {_short(value)}: changes nothing in {algorithm}; {remedy}")


def refusing_old_words(method: Callable[..., Any]) -> Callable[..., Any]:
    """A method of RLlib's configuration that refuses words of its old interfaces, and words that it does not know."""
    parameters = inspect.signature(method).parameters

    @wraps(method)
    def guarded(config: Any, *values: Any, **settings: Any) -> Any:
        for name, value in settings.items():
            if name not in parameters:
                raise InvalidSetting(
                    f"no setting '{name}' in .{method.__name__}(){nearest(name, list(parameters)[1:])}"
                )
            if parameters[name].default == DEPRECATED_VALUE and value != DEPRECATED_VALUE:
                raise InvalidSetting(f"{name} = {_short(value)}: is a word of RLlib's old interfaces; leave it out")
        return method(config, *values, **settings)

    return guarded


class Alias:
    """RLlib's name of settings of ours: to set it is to set them, and to read it is to read the first of them.

    A space of Ray Tune's stays under RLlib's name until Tune has chosen from it, as it would otherwise choose once for
    each of ours. What was said under this name is also shown under it, see `WordedConfig.to_dict`.
    """

    def __init__(self, *targets: str) -> None:
        self.targets = targets

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, config: Any, owner: type | None = None) -> Any:
        if config is None:
            return self
        return config.searched.get(self._name, config.setting(self.targets[0]))

    def __set__(self, config: Any, value: Any) -> None:
        if is_searched(value):
            config.searched[self._name] = value
            return
        for target in self.targets:
            config.take(target, value)
        config.said.add(self._name)


def refuse_two_names(aliases: dict[str, tuple[str, ...]], given: Iterable[str]) -> None:
    """Raises InvalidSetting where a setting is given under two names at once."""
    given = set(given)
    for name, targets in aliases.items():
        other = sorted(given.intersection(targets)) + sorted(
            twin for twin in given if twin != name and twin in aliases and set(aliases[twin]) & set(targets)
        )
        if name in given and other:
            raise InvalidSetting(f"{name}, {other[0]}: are two names of one setting; say one of them")


def say_what_training_takes(cls: type[Any], stated: Sequence[Field[Any]]) -> None:
    """Gives a configuration's `training` its keywords, for completion and `help`, and their sentences."""
    training = vars(cls).get("training")
    if training is None:
        return
    keywords = [
        Parameter(each.name, Parameter.KEYWORD_ONLY, default=each.default, annotation=each.type) for each in stated
    ]
    own = Parameter("self", Parameter.POSITIONAL_OR_KEYWORD)
    training.__signature__ = Signature([own, *keywords, Parameter("settings", Parameter.VAR_KEYWORD)])
    sentences = "".join(f"\n            {each.name}: {each.metadata['says']}" for each in stated)
    training.__doc__ = f"{(training.__doc__ or '').rstrip()}\n\n        Args:{sentences}\n        "


def defaults(cls: type) -> dict[str, Any]:
    """The attributes of a configuration in which nothing was set."""
    if cls not in _known_defaults:
        _known_defaults[cls] = dict(vars(cls()))
    return _known_defaults[cls]


_known_defaults: dict[type, dict[str, Any]] = {}


def _same(value: Any, default: Any) -> bool:
    try:
        return bool(value is default or value == default)
    except Exception:  # what cannot be compared, such as arrays, is no default
        return False


def _short(value: Any) -> str:
    """A value in one short line."""
    if callable(value):
        return str(getattr(value, "__name__", type(value).__name__))
    text = " ".join(repr(value).split())
    return text if len(text) <= 60 else f"{text[:57]}..."


# --- settings that take effect for some values only -------------------------------------------------------------------
def _policies(config: Any) -> str | None:
    given = config.policies
    specs = given.values() if isinstance(given, dict) else ()
    plain = all(
        spec is None or not any(getattr(spec, part, None) for part in ("policy_class", "config")) for spec in specs
    )
    return None if set(given) == config.SIDES and plain else "there are two, 'leader' and 'follower'; leave it out"


def _policy_mapping_fn(config: Any) -> str | None:
    try:
        mapped = [config.policy_mapping_fn(agent, None) for agent in ("government", "household_0")]
    except Exception:  # one that asks for more than RLlib's agent and episode
        mapped = []
    return (
        None if mapped == ["leader", "follower"] else "the government is 'leader', households 'follower'; leave it out"
    )


def _policies_to_train(config: Any) -> str | None:
    named = config.policies_to_train
    if named is None or callable(named):
        return None
    if not isinstance(named, (list, tuple, set, frozenset)) or not named or not set(named) <= config.SIDES:
        return "must name at least one of 'leader' and 'follower'"
    return None


def _callbacks_class(config: Any) -> str | None:
    for cls in force_list(config.callbacks_class):
        if not (isinstance(cls, type) and issubclass(cls, RLlibCallback)):
            return "must be a class that extends ray.rllib.callbacks.callbacks.RLlibCallback"
        for name in dir(RLlibCallback):
            overridden = name.startswith("on_") and getattr(cls, name) is not getattr(RLlibCallback, name)
            if overridden and name not in CALLS_MADE:
                return f"its {name} would never be called; say on_sample_end, on_train_result or on_evaluate_end"
    return None


def _num_gpus_per_learner(config: Any) -> str | None:
    given, device = config.num_gpus_per_learner, getattr(config, "device", "cpu")
    if given not in (0, 1):
        return "must be 0 or 1: one learner computes on one device"
    if device == "cpu" and given:
        return "say device = 'cuda' (or 'auto')"
    return None


def _env_runner_cls(config: Any) -> str | None:
    own = defaults(type(config))["env_runner_cls"]
    fits = own is None or (isinstance(config.env_runner_cls, type) and issubclass(config.env_runner_cls, own))
    return None if fits else f"must extend {own.__name__}, which plays whole populations"


def _learner_class(config: Any) -> str | None:
    own, given = config.get_default_learner_class(), config._learner_class
    fits = given is None or own is None or (isinstance(given, type) and issubclass(given, own))
    return None if fits else f"must extend {own.__name__}"


def _learner_config_dict(config: Any) -> str | None:
    fits = not config.learner_config_dict or config._learner_class is not None
    return None if fits else "only a learner_class of your own could read it"


def _evaluation_config(config: Any) -> str | None:
    given = config.evaluation_config
    if given is None or isinstance(given, type(config)):
        return None
    if not isinstance(given, dict):
        return f"must be a dictionary or a {type(config).__name__}"
    for name, value in given.items():
        if name not in DIFFERS_IN_EVALUATION:
            return f"'{name}' changes nothing in an evaluation{nearest(name, sorted(DIFFERS_IN_EVALUATION))}"
        if name == "explore" and value:
            return "an evaluation plays without exploration; say explore = False or leave it out"
    return None


def _evaluation_duration_unit(config: Any) -> str | None:
    fits = config.evaluation_duration_unit in ("episodes", "timesteps")
    return None if fits else "must be 'episodes' or 'timesteps' (years of one game)"


CHECKED: dict[str, Callable[[Any], str | None]] = {
    "policies": _policies,
    "policy_mapping_fn": _policy_mapping_fn,
    "policies_to_train": _policies_to_train,
    "callbacks_class": _callbacks_class,
    "num_gpus_per_learner": _num_gpus_per_learner,
    "env_runner_cls": _env_runner_cls,
    "_learner_class": _learner_class,
    "learner_config_dict": _learner_config_dict,
    "evaluation_config": _evaluation_config,
    "evaluation_duration_unit": _evaluation_duration_unit,
}
