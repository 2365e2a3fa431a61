"""Where the learner computes: the setting reaches it, and what it computes stays on its device."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from test_losses import batch, learners
from test_rllib import small

from envs import InvalidSetting, make
from rllib_smfg.build import Interface
from rllib_smfg.learned import LearnedFollower, LearnedLeader
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


def test_actors_act_beside_the_learner_in_its_process_and_on_the_processor_elsewhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(device, "torch", SimpleNamespace(cuda=SimpleNamespace(is_available=lambda: True)))
    monkeypatch.setattr(device, "ray", SimpleNamespace(is_initialized=lambda: False))

    def places(name: str, learners: int) -> list[str]:
        config = small(device=name).learners(num_learners=learners)
        config.validate()
        return [config.acting_device(runner) for runner in (0, 1)]

    assert places("cuda", 0) == ["cuda", "cpu"]
    assert places("cuda", 1) == places("cpu", 0) == ["cpu", "cpu"]


class Elsewhere(torch.nn.Module):
    """An actor on torch's device without memory, which answers on the processor, where numbers can be read."""

    def __init__(self, actions: int) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1, device="meta"))
        self.actions, self.came_from = actions, set[str]()

    def act(self, own: torch.Tensor, shared: torch.Tensor) -> torch.Tensor:
        self.came_from |= {own.device.type, shared.device.type}
        return torch.full((*own.shape[:-1], self.actions), 0.5)


def test_policies_bring_what_they_see_to_where_their_actor_is() -> None:
    game = make("income_tax", games=2, followers=3)
    interface, seen = Interface.of(game), game.reset(1)
    lead, follow = Elsewhere(1), Elsewhere(1)
    leader = LearnedLeader(lead, interface)  # type: ignore[arg-type]
    follower = LearnedFollower(follow, interface, sees_leader=True)  # type: ignore[arg-type]
    action = leader.act(seen.leader)
    assert action.shape == (2, 1)
    assert follower.act(seen.follower, action).shape == (2, 3, 1)
    assert lead.came_from == follow.came_from == {"meta"}


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
def test_training_on_cuda_learns_and_acts_there(ray_local: None) -> None:
    algorithm = small(device="cuda", mean_field=["mean", "standard_deviation", "quantiles"]).build_algo()
    result = algorithm.train()
    learner = algorithm.learner_group._learner
    assert {p.device.type for p in learner.module["follower"].parameters()} == {"cuda"}
    assert {p.device.type for p in algorithm.env_runner.module["follower"].parameters()} == {"cuda"}
    assert {p.device.type for p in algorithm.trained_policies().follower.parameters()} == {"cpu"}
    assert result["learners"]["leader"]["critic_loss"] > 0
    algorithm.stop()
