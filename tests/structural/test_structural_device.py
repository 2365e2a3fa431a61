"""Whole rollouts stay where the networks are: no number of a game's year is made elsewhere, and hardly one leaves."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from structural_parts import QUICK, learner
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves

from envs import InvalidSetting
from rllib_smfg.rllib import device
from rllib_smfg.rllib.structural import StructuralSMFRLConfig
from rllib_smfg.structural.learner import FOLLOWER, LEADER, StructuralLearner
from rllib_smfg.structural.paths import draw_luck
from rllib_smfg.structural.settings import StructuralSettings

CUDA = torch.cuda.is_available()
LEAVES = {"cpu", "numpy", "item", "tolist", "__bool__", "__float__", "__int__", "__index__", "__array__"}
GAMES: dict[str, dict[str, Any]] = {
    "stage_game": {"followers": 5},
    "income_tax": {"followers": 5},
    "static_hsv": {"followers": 40},
    "linear_quadratic": {"followers": 40, "gam": 0.5},
    "brock_mirman": {"followers": 40},
    "aiyagari": {"followers": 40},
    "krusell_smith": {"followers": 40},
    "economy": {"preset": "calibrated", "followers": 40, "starts": ((0.3, 0.2, 0.01, 0.01, 0.15), (0.75, 0.4))},
}


class Leaving(TorchFunctionMode):
    """Counts the numbers of each tensor that is handed from torch to Python or numpy."""

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if getattr(func, "__name__", "") in LEAVES:
            self.sizes.append(args[0].numel())
        return func(*args, **(kwargs or {}))


def learning(name: str, on: str = "cpu", **settings: Any) -> StructuralLearner:
    return learner(name, StructuralSettings(**{**QUICK, **settings}), device=on, **GAMES[name])


@pytest.mark.parametrize("name", GAMES)
def test_which_games_are_over_and_a_few_sums_are_all_that_leaves_the_device_in_an_update(name: str) -> None:
    found = learning(name)
    with Leaving() as leaving:
        found.update()
    assert leaving.sizes
    assert max(leaving.sizes) <= found.game.n_games < found.game.n_games * found.game.n_followers
    assert sum(leaving.sizes) < 100


def test_of_a_refinement_a_rule_s_own_numbers_leave_the_device() -> None:
    found = learning("static_hsv", leader_policy="rule", lead_in=0.0, settling=0.5, refinements=1, updates=2)
    found.update()
    with Leaving() as leaving:
        logs = found.update()
    assert logs["leader/plays"] > 1
    assert max(leaving.sizes) <= max(found.game.n_games, sum(p.numel() for p in found.networks[LEADER].parameters()))


@pytest.fixture
def deterministic() -> Iterator[None]:
    """Operations that are not the same every time on a CUDA device are errors."""
    before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(True)
    yield
    torch.use_deterministic_algorithms(before)


@pytest.mark.parametrize("name", GAMES)
def test_no_number_of_a_year_is_made_on_another_device(
    name: str, monkeypatch: pytest.MonkeyPatch, deterministic: None
) -> None:
    """On torch's device without memory, since a tensor of the processor among others is an error there as on CUDA."""
    found = learning(name, on="meta", window_years=2)
    found.path_years = 2  # arithmetic is slow there
    monkeypatch.setattr(found.economies, "move_on", lambda following, ended: None)  # nothing says there which are over
    luck = draw_luck(found.path_game, 1, found.path_years, found.like)
    worth = found._objective(found._played_by(found.networks[LEADER], luck))
    losses = {LEADER: [worth], FOLLOWER: [found._game_loss(), found._team_loss()]}
    for side, of_side in losses.items():
        for loss in of_side:
            assert loss.device.type == "meta"
            slopes = torch.autograd.grad(loss, list(found.networks[side].parameters()), allow_unused=True)
            assert {x.device.type for x in slopes if x is not None} == {"meta"}


def test_what_is_kept_is_brought_to_the_processor_and_back_to_where_it_goes_on() -> None:
    found = learning("linear_quadratic")
    found.update()
    with Leaving() as leaving:
        kept = found.get_state()
    tensors = [x for x in tree_leaves(kept) if isinstance(x, torch.Tensor)]
    assert sorted(x.numel() for x in tensors) == sorted(leaving.sizes)
    elsewhere = learning("linear_quadratic", on="meta")
    elsewhere.set_state(kept)
    assert {x.device.type for x in (*elsewhere.economies.state.values(), elsewhere.spread.lasting)} == {"meta"}


# --- the setting ------------------------------------------------------------------------------------------------------
def configured(name: str) -> StructuralSMFRLConfig:
    return StructuralSMFRLConfig().game("stage_game", followers=20).training(device=name)


def test_the_setting_is_what_rllib_gives_the_learner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "torch", SimpleNamespace(cuda=SimpleNamespace(is_available=lambda: True)))
    for name, gpus in {"cpu": 0, "cuda": 1, "auto": 1}.items():
        config = configured(name)
        config.validate()
        assert config.num_gpus_per_learner == gpus
        assert config.acting_device(0) == ("cuda" if gpus else "cpu")
        assert config.acting_device(1) == "cpu"


@pytest.mark.skipif(CUDA, reason="there is a CUDA device here")
def test_cuda_where_there_is_none_is_refused_in_one_line() -> None:
    with pytest.raises(InvalidSetting, match="device = cuda: this machine has no CUDA device"):
        configured("cuda").validate()
    configured("auto").validate()


@pytest.mark.gpu
@pytest.mark.skipif(not CUDA, reason="needs a CUDA device")
def test_it_learns_on_cuda_what_it_learns_on_the_processor() -> None:
    found = {}
    for name in ("cpu", "cuda"):
        algorithm = configured(name).debugging(seed=1).training(updates=4, updates_per_iteration=4).build_algo()
        algorithm.train()
        learning = algorithm.learner_group._learner.structural
        assert learning.economies.like.device.type == name
        found[name] = torch.cat([p.detach().cpu().flatten() for p in learning.networks[FOLLOWER].parameters()])
        algorithm.stop()
    torch.testing.assert_close(found["cpu"], found["cuda"], rtol=1e-3, atol=1e-4)
