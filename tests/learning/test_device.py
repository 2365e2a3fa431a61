"""Where the learner computes: the setting reaches it, and what it computes stays on its device."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from test_losses import batch, learners
from test_rllib import small

from envs import InvalidSetting
from rllib_smfg.losses import Batch
from rllib_smfg.rllib import device
from rllib_smfg.rllib.device import learner_gpus
from rllib_smfg.update import gradients, move_targets

CUDA = torch.cuda.is_available()


def test_the_learner_computes_on_the_processor_by_default(ray_local: None) -> None:
    algorithm = small().build_algo()
    learner = algorithm.learner_group._learner
    assert learner._device == torch.device("cpu")
    algorithm.stop()


def test_the_setting_is_what_rllib_gives_the_learner(monkeypatch: pytest.MonkeyPatch) -> None:
    def gpus(name: str, learners: int = 0) -> float:
        config = small(device=name).learners(num_learners=learners)
        config.validate()
        return config.num_gpus_per_learner

    monkeypatch.setattr(device, "torch", SimpleNamespace(cuda=SimpleNamespace(is_available=lambda: True)))
    monkeypatch.setattr(device, "ray", SimpleNamespace(is_initialized=lambda: False))
    assert [gpus("cpu"), gpus("cuda"), gpus("auto"), gpus("cuda", 1)] == [0, 1, 1, 1]
    monkeypatch.setattr(device.torch.cuda, "is_available", lambda: False)
    assert [gpus("cpu"), gpus("auto")] == [0, 0]
    # a learner of its own may run on another node, which only Ray knows
    monkeypatch.setattr(
        device, "ray", SimpleNamespace(is_initialized=lambda: True, cluster_resources=lambda: {"CPU": 8.0, "GPU": 1.0})
    )
    assert [gpus("cuda", 1), gpus("auto", 1), gpus("auto", 0)] == [1, 1, 0]


@pytest.mark.parametrize("view", ["mean_field", "joint"])
def test_an_update_makes_no_number_on_another_device(view: str) -> None:
    """On torch's device without memory, since a tensor of the processor among others is an error there as on CUDA."""
    statistics = ("mean", "standard_deviation", "quantiles")
    both = learners(mean_field=statistics, leader_view=view, follower_view=view)
    data = Batch(**{name: x.to("meta") for name, x in vars(batch(both, m=8)).items()})
    for player in (both.leader, both.follower):
        for network in vars(player).values():
            network.to("meta")
    found, logs = gradients(both, data)
    move_targets(both)
    assert {x.device.type for x in (*logs.values(), *(x for values in found.values() for x in values))} == {"meta"}


@pytest.mark.skipif(CUDA, reason="there is a CUDA device here")
def test_cuda_where_there_is_none_is_refused_in_one_line() -> None:
    with pytest.raises(InvalidSetting, match="device = cuda: this machine has no CUDA device") as refused:
        small(device="cuda").validate()
    assert "\n" not in str(refused.value)
    with pytest.raises(InvalidSetting, match="device = 'gpu'"):
        learner_gpus("gpu", 0)


@pytest.mark.gpu
@pytest.mark.skipif(not CUDA, reason="needs a CUDA device")
def test_training_on_cuda_learns_and_hands_weights_to_runners_on_the_processor(ray_local: None) -> None:
    algorithm = small(device="cuda", mean_field=["mean", "standard_deviation", "quantiles"]).build_algo()
    result = algorithm.train()
    learner = algorithm.learner_group._learner
    assert {p.device.type for p in learner.module["follower"].parameters()} == {"cuda"}
    assert {p.device.type for p in algorithm.env_runner.module["follower"].parameters()} == {"cpu"}
    assert result["learners"]["leader"]["critic_loss"] > 0
    algorithm.stop()
