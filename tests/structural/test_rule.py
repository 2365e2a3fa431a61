"""A rule of few numbers: named, started where it is told, and searched in the numbers that it has."""

from __future__ import annotations

import pytest
import torch
from structural_parts import built

from envs.game import InvalidSetting
from rllib_smfg.networks import to_natural
from rllib_smfg.rule import RuleActor, responding
from rllib_smfg.structural.paired import free_numbers

INSTRUMENTS, OBSERVES = ("tax_rate", "spending"), ("capital", "debt", "wage")


def test_responses_are_by_name() -> None:
    mask = responding({"spending": ["debt", "capital"]}, INSTRUMENTS, OBSERVES)
    assert mask.tolist() == [[0, 0, 0], [1, 1, 0]]


@pytest.mark.parametrize(
    ("responses", "remedy"),
    [
        ({"tax_rat": ["debt"]}, "no instrument 'tax_rat': did you mean 'tax_rate'"),
        ({"tax_rate": ["dept"]}, "does not see 'dept': did you mean 'debt'"),
        ({"nonsense": []}, "no instrument 'nonsense'"),
    ],
)
def test_unknown_names_are_refused_with_the_nearest(responses: dict[str, list[str]], remedy: str) -> None:
    with pytest.raises(InvalidSetting, match=remedy) as error:
        responding(responses, INSTRUMENTS, OBSERVES)
    assert "\n" not in str(error.value)


def rule() -> RuleActor:
    game = built("linear_quadratic", games=1, followers=3)
    found = RuleActor(3, game.leader_action_space, [1.5], torch.tensor([[1.0, 0.0, 1.0]]))
    with torch.no_grad():
        found.response.copy_(torch.tensor([[2.0, 5.0, -1.0]]))
    return found


def test_outputs_are_a_constant_and_the_responses_that_are_there() -> None:
    found = rule()
    own = torch.tensor([[[0.1, 9.0, 0.3]]])
    output = found(own, own[..., :0])
    assert float(output.detach()) == pytest.approx(0.5 + 0.2 - 0.3)
    assert float(found.act(own * 10, own[..., :0]).detach()) == pytest.approx(0.5 + 2.0 - 3.0)
    assert float(found.act(own * 100, own[..., :0]).detach()) == -1.0
    output.sum().backward()
    assert found.response.grad is not None
    assert found.response.grad[0, 1] == 0.0
    assert found.places() == [0, 2]


def test_it_starts_as_it_is_told() -> None:
    game = built("linear_quadratic", games=1, followers=3)
    start = RuleActor(1, game.leader_action_space, [1.5], None)
    own = torch.zeros(1, 1)
    assert to_natural(start.act(own, own[..., :0]).detach().numpy(), game.leader_action_space)[0, 0] == 1.5


def testfree_numbers_are_those_that_do_something() -> None:
    free = free_numbers(rule())
    assert free.tolist() == [1.0, 1.0, 0.0, 1.0]
    assert free_numbers(torch.nn.Linear(2, 1)).tolist() == [1.0, 1.0, 1.0]
