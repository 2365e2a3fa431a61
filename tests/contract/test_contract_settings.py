"""What is written in RLlib's words takes effect, is an alias of ours, or is refused in one line before all else."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest
from contract_parts import BOTH, tiny
from ray.rllib.algorithms.algorithm_config import AlgorithmConfig
from ray.rllib.algorithms.ppo import PPOConfig
from ray.rllib.callbacks.callbacks import RLlibCallback

from envs import InvalidSetting
from rllib_smfg.rllib import contract
from rllib_smfg.rllib.config import SMFRLConfig
from rllib_smfg.rllib.game_config import GameConfig
from rllib_smfg.rllib.population_ppo.config import PopulationPPOConfig


def one_line(error: pytest.ExceptionInfo[InvalidSetting]) -> str:
    assert "\n" not in str(error.value)
    return str(error.value)


def test_rllib_s_names_are_ours() -> None:
    config = tiny(SMFRLConfig).training(lr=[[0, 1e-2], [100, 1e-3]], gamma=0.8, tau=0.3, train_batch_size=7)
    config.validate()
    assert config.actor_lr == config.critic_lr == config.lr == [[0, 1e-2], [100, 1e-3]]
    assert (config.learning_settings().discount, config.learning_settings().target_step) == (0.8, 0.3)
    assert config.transitions_per_update == config.train_batch_size == 7
    config.training(train_batch_size_per_learner=9).env_runners(num_envs_per_env_runner=3)
    assert (config.transitions_per_update, config.env_config["games"]) == (9, 3)
    earlier = SMFRLConfig().env_runners(num_envs_per_env_runner=3).game("economy", followers=5)
    assert earlier.env_config["games"] == 3
    proximal = tiny(PopulationPPOConfig).training(gamma=0.8, train_batch_size_per_learner=48)
    assert (proximal.learning_settings().discount, proximal.years_in_iteration()) == (0.8, 48)


def test_two_names_of_one_setting_are_refused_together_and_the_latest_word_counts() -> None:
    with pytest.raises(InvalidSetting, match="lr, actor_lr: are two names of one setting"):
        tiny(SMFRLConfig).training(lr=0.1, actor_lr=0.2)
    with pytest.raises(InvalidSetting, match="two names of one setting"):
        tiny(SMFRLConfig).update_from_dict({"gamma": 0.1, "discount": 0.2})
    assert tiny(SMFRLConfig).training(lr=0.1).training(actor_lr=0.2).actor_lr == 0.2


class EndsEpisodes(RLlibCallback):
    def on_episode_end(self, **_: Any) -> None: ...


REFUSED: dict[str, Callable[[GameConfig], Any]] = {
    "env = 'CartPole-v1'|unknown game 'CartPole-v1'": lambda c: c.environment("CartPole-v1"),
    "rollout_fragment_length = 50: .*say years_per_iteration": lambda c: c.env_runners(rollout_fragment_length=50),
    "batch_mode": lambda c: c.env_runners(batch_mode="complete_episodes"),
    "env_to_module_connector": lambda c: c.env_runners(env_to_module_connector=lambda *_: []),
    "num_gpus_per_env_runner": lambda c: c.env_runners(num_gpus_per_env_runner=1),
    "model_config": lambda c: c.rl_module(model_config={"fcnet_hiddens": [4]}),
    "policies": lambda c: c.multi_agent(policies={"p0", "p1"}),
    "policy_mapping_fn": lambda c: c.multi_agent(policy_mapping_fn=lambda agent, *_, **__: "leader"),
    "policies_to_train": lambda c: c.multi_agent(policies_to_train=["government"]),
    "num_gpus_per_learner = 1: say device = 'cuda'": lambda c: c.learners(num_gpus_per_learner=1),
    "callbacks_on_episode_end": lambda c: c.callbacks(on_episode_end=lambda **_: None),
    "callbacks_on_episode_start": lambda c: c.callbacks(on_episode_start=lambda **_: None),
    "its on_episode_end would never be called": lambda c: c.callbacks(EndsEpisodes),
    "num_gpus = 1": lambda c: c.resources(num_gpus=1),
    "framework = 'tf2'": lambda c: c.framework("tf2"),
    "input_ = 'data'": lambda c: c.offline_data(input_="data"),
    "no training setting 'learning_rat'": lambda c: c.training(learning_rat=0.1),
    "model = ": lambda c: c.training(model={"fcnet_hiddens": [4]}),
    "no setting 'leader_gradiet': did you mean": lambda c: c.update_from_dict({"leader_gradiet": "total"}),
    "no setting 'hiden'": lambda c: setattr(c, "hiden", [4]),
    "'lambda_' changes nothing in an evaluation": lambda c: c.evaluation(evaluation_config={"lambda_": 0.5}),
    "plays without exploration": lambda c: c.evaluation(evaluation_config={"explore": True}),
    "evaluation_parallel_to_training": lambda c: c.evaluation(evaluation_parallel_to_training=True),
    "seed = -1": lambda c: c.debugging(seed=-1),
    "no game": lambda c: setattr(c, "env_config", {}) or setattr(c, "env", None),
}


@pytest.mark.parametrize("cls", BOTH)
@pytest.mark.parametrize("reason", REFUSED)
def test_what_changes_nothing_is_refused(cls: type[GameConfig], reason: str) -> None:
    def build() -> None:
        config = tiny(cls)
        REFUSED[reason](config)
        config.validate()

    with pytest.raises(InvalidSetting, match=reason) as error:
        build()
    one_line(error)


@pytest.mark.parametrize(
    "setting", ["num_epochs", "minibatch_size", "grad_clip", "shuffle_batch_per_epoch", "clip_param"]
)
def test_training_settings_of_other_algorithms_are_refused(setting: str) -> None:
    with pytest.raises(InvalidSetting, match=setting) as error:
        tiny(SMFRLConfig).training(**{setting: 1})
    one_line(error)
    with pytest.raises(InvalidSetting, match="minibatch_size = 7: changes nothing in PopulationPPO"):
        tiny(PopulationPPOConfig).training(minibatch_size=7)


ARGUMENTS = [
    (name, argument)
    for name in contract.METHODS
    for argument in inspect.signature(getattr(AlgorithmConfig, name)).parameters
    if argument != "self"
]


@pytest.mark.parametrize(("method", "argument"), ARGUMENTS, ids=" ".join)
def test_no_argument_of_rllib_s_methods_is_taken_and_ignored(method: str, argument: str) -> None:
    """Whatever it is set to is refused, or it changes an attribute that takes effect or is ours."""
    for value in (7, True, False, {"unheard": 1}, "unheard", 0.5):
        config, untouched = tiny(SMFRLConfig), vars(tiny(SMFRLConfig))
        try:
            getattr(config, method)(**{argument: value})
            after = {name for name, setting in vars(config).items() if setting != untouched.get(name)}
            config.validate()
        except Exception:
            continue
        unknown = after - config.takes_effect - set(config.own_names) - {"learning", "_said"}
        assert not unknown, f"{argument} = {value!r} changes {unknown}"
        assert after or isinstance(value, bool), f"{argument} = {value!r}: no word"  # a default may be as true


@pytest.mark.parametrize("cls", BOTH)
def test_every_attribute_takes_effect_is_ours_or_is_refused(cls: type[GameConfig]) -> None:
    config = tiny(cls)
    known = config.takes_effect | set(config.own_names) | set(config.kept) | set(config.aliases)
    parent = PPOConfig if cls is PopulationPPOConfig else AlgorithmConfig
    others = sorted(set(vars(parent())) - known)
    assert len(others) > 100
    for name in others:
        changed = tiny(cls)
        changed.__dict__[name] = object()
        with pytest.raises(InvalidSetting, match="changes nothing in"):
            changed.validate()


def test_settings_reach_the_algorithm_by_every_way_in() -> None:
    for config in (
        tiny(SMFRLConfig).training(leader_gradient="partial"),
        tiny(SMFRLConfig).update_from_dict({"leader_gradient": "partial"}),
        SMFRLConfig.from_dict({"env": "economy", "leader_gradient": "partial"}),
    ):
        config.validate()
        assert config.learning_settings().leader_gradient == config["leader_gradient"] == "partial"
    config = tiny(SMFRLConfig)
    config.leader_gradient = "partial"
    config["target_step"] = 0.2
    assert (config.learning_settings().leader_gradient, config.learning_settings().target_step) == ("partial", 0.2)


@pytest.mark.parametrize("cls", BOTH)
def test_a_dictionary_of_all_settings_makes_the_same_configuration(cls: type[GameConfig]) -> None:
    config = tiny(cls, discount=0.7, hidden=[4, 4]).training(followers_see_leader=False)
    again = cls.from_dict(config.to_dict())
    for each in (config, again):
        each.validate()
    assert again.to_dict() == config.to_dict()
    assert again.learning_settings() == config.learning_settings()


def test_a_search_may_change_either_name_of_a_setting() -> None:
    """As population based training does, in the dictionary that a configuration gave."""
    said = tiny(SMFRLConfig).training(lr=0.1).to_dict()
    assert SMFRLConfig.from_dict({**said, "lr": 0.2}).critic_lr == 0.2
    changed = SMFRLConfig.from_dict({**said, "actor_lr": 0.3})
    assert (changed.actor_lr, changed.critic_lr) == (0.3, 0.1)
    assert SMFRLConfig.from_dict({**tiny(SMFRLConfig).to_dict(), "lr": 0.2, "gamma": 0.5}).actor_lr == 0.2


def test_a_space_to_search_in_is_for_the_tuner() -> None:
    from ray import tune

    config = tiny(SMFRLConfig).training(lr=tune.grid_search([0.1, 0.2]))
    assert config.to_dict()["lr"] == {"grid_search": [0.1, 0.2]}
    for searched in (
        config,
        tiny(SMFRLConfig, target_step=tune.uniform(0, 1)),
        tiny(SMFRLConfig, actor_lr=tune.choice([1])),
    ):
        with pytest.raises(InvalidSetting, match=r"is a space to search in; give the configuration to ray.tune.Tuner"):
            searched.validate()


def test_policies_may_be_named_by_words() -> None:
    config = tiny(SMFRLConfig, leader_view="own", follower="random")
    config.validate()
    assert config.follower.name == "random"
    assert tiny(SMFRLConfig, follower={"name": "constant", "action": [0.5, 0.5]}).follower.settings == {
        "action": [0.5, 0.5]
    }
    for setting in ("follower", "leader_imitates", "follower_imitates"):
        with pytest.raises(InvalidSetting, match="did you mean 'random'") as error:
            tiny(SMFRLConfig, leader_view="own", **{setting: "randon"}).validate()
        one_line(error)


def test_callbacks_that_are_never_called_are_told_from_those_that_are() -> None:
    class Counts(RLlibCallback):
        def on_train_result(self, **_: Any) -> None: ...

    tiny(SMFRLConfig).callbacks(Counts, on_sample_end=lambda **_: None, on_evaluate_end=lambda **_: None).validate()
