"""What a household's own play says it should do otherwise: nothing at an exact solution, by hand elsewhere."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from structural_parts import DOUBLE, built, columns, outputs, sides
from torch import Tensor
from two_stocks import (
    EXACT_LEARNED,
    EXACT_SAVED,
    EXACT_TAX,
    WORTH_X,
    WORTH_Y,
    X_KEPT,
    X_PAYS,
    Y_KEPT,
    Y_PAYS,
    TwoStocks,
)

from envs import aiyagari, brock_mirman, linear_quadratic, linear_quadratic_solution, stage_game
from envs.arithmetic import ArithmeticGame, Mean, Outcome, plain_mean
from envs.game import Array
from rllib_smfg.structural.economies import own_share_mean, price_takers_mean, tensors
from rllib_smfg.structural.households import (
    Window,
    Year,
    _divided,
    curvature,
    euler_loss,
    joined,
    play_window,
    saving_decisions,
    window_residuals,
    worth_of_carried,
)


def by_rule(game: ArithmeticGame, state: Any, rule: Any, leader_action: Array) -> Tensor:
    """Outputs (B, N, a) of an exact rule in a state (tensors)."""
    _, seen = game.observe({name: x.numpy() for name, x in state.items()}, plain_mean)
    shape = (game.n_games, game.n_followers)
    observed = np.stack([np.broadcast_to(x, shape) for x in seen], -1)
    return outputs(rule(observed, leader_action), game.follower_action_space)


def leader_by_rule(game: ArithmeticGame, state: Any, rule: Any) -> Array:
    seen, _ = game.observe({name: x.numpy() for name, x in state.items()}, plain_mean)
    return np.asarray(rule(np.concatenate(seen, -1)))


def own_residual(
    game: ArithmeticGame, solution: Any, seed: int, mean: Mean, years: int = 1
) -> tuple[list[Tensor], Tensor]:
    """Eq. 3, (B, N, a) of each year, and the first year's reward's slopes under a solution, after a fresh start."""
    random = np.random.default_rng(seed)
    state = tensors(game.first_state(random, game.n_games), DOUBLE)
    return residuals_there(game, solution, state, random, mean, years)


def residuals_there(
    game: ArithmeticGame, solution: Any, state: Any, random: np.random.Generator, mean: Mean, years: int = 1
) -> tuple[list[Tensor], Tensor]:
    side, year = sides(game)[1], np.zeros(game.n_games, dtype=np.int64)
    shocks = [tensors(game.shocks(random, year), DOUBLE) for _ in range(years + 1)]

    def meet(_: int, state: Any) -> tuple[list[Tensor], Tensor, Tensor]:
        seen = {name: x.detach() for name, x in state.items()}
        told = leader_by_rule(game, seen, solution.leader_rule)
        action = [torch.from_numpy(x)[:, None] for x in columns(told)]
        # later outputs know that they come later
        output = by_rule(game, seen, solution.follower_rule, told).requires_grad_()
        return action, outputs(told[:, None], game.leader_action_space), output

    window = play_window(game, side, state, shocks[:years], meet, mean)
    alone = play_window(game, side, state, shocks[:1], meet, mean)
    slopes = window_residuals(game, alone, None)[0]
    if game.carried is None:
        return window_residuals(game, window, None), slopes
    following = {name: x.detach() for name, x in window.following.items()}
    action, _, output = meet(0, following)
    worth = worth_of_carried(game, side, following, action, output, shocks[-1], mean)
    return window_residuals(game, window, worth), slopes


# --- exact solutions -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("parameters", [{}, {"al": 0.3, "be": 0.95}, {"ph": 1.0, "A": 3.0}], ids=str)
def test_the_exact_saving_rule_of_brock_mirman_leaves_no_residual(parameters: dict[str, float]) -> None:
    game = built("brock_mirman", games=4, followers=50, **parameters)
    exact = brock_mirman.solution(game.parameters, 50, "stackelberg")
    (found,), reward = own_residual(game, exact, 0, price_takers_mean)
    assert float(reward.abs().min()) > 1e-3  # what cancels is not small
    assert float(found.abs().max()) < 1e-12


def test_a_household_that_counts_its_own_share_would_not_follow_that_rule() -> None:
    game = built("brock_mirman", games=4, followers=50)
    exact = brock_mirman.solution(game.parameters, 50, "stackelberg")
    (found,), _ = own_residual(game, exact, 0, partial(own_share_mean, followers=50))
    assert float(found.abs().max()) > 1e-4


def test_households_of_aiyagari_s_long_run_err_by_luck_alone() -> None:
    """Eq. 1 holds in the mean over luck, for those who are not at the borrowing limit."""
    game = built("aiyagari", games=2, followers=1000, horizon=1000)
    exact = aiyagari.solution(game.parameters, 1000, "stackelberg")
    observations = game.reset(3)
    for _ in range(150):
        leader = np.full((2, 1), 0.5)
        observations = game.step(leader, exact.follower_rule(observations.follower, leader)).observations
    state = tensors({name: getattr(game.state, name) for name in game.first_state(np.random.default_rng(0), 2)}, DOUBLE)
    (found,), reward = residuals_there(game, exact, state, np.random.default_rng(4), price_takers_mean)
    saves = exact.follower_rule(observations.follower, np.full((2, 1), 0.5)) < 0.99
    relative = (found / reward)[torch.from_numpy(saves)]
    spread = float(relative.std())
    assert spread > 0.1
    assert abs(float(relative.mean())) < 0.06 * spread


@pytest.mark.parametrize("followers", [2, 16])
def test_the_exact_first_order_condition_of_the_stage_game_holds_with_one_s_own_share(followers: int) -> None:
    game = built("stage_game", games=3, followers=followers)
    exact = stage_game.solution(game.parameters, followers, "stackelberg")
    (own,), _ = own_residual(game, exact, 0, partial(own_share_mean, followers=followers))
    assert float(own.abs().max()) < 1e-12
    (taken_as_given,), _ = own_residual(game, exact, 0, price_takers_mean)
    assert float(taken_as_given.abs().max()) > 0.01


def test_the_exact_solution_of_the_linear_quadratic_game_leaves_no_residual() -> None:
    """For price takers in the limit of many, where no action rests at its bound."""
    game = built("linear_quadratic", games=20, followers=100, sigma=0.0)
    exact = linear_quadratic_solution.solution(game.parameters, float("inf"), "stackelberg")
    random = np.random.default_rng(0)
    state = {"x": 0.3 * torch.from_numpy(game.first_state(random, 20)["x"])}
    (found,), reward = residuals_there(game, exact, state, random, price_takers_mean)
    assert float(reward.abs().max()) > 0.1
    assert float(found.abs().max()) < 1e-9


# --- lambda by hand --------------------------------------------------------------------------------------------------
def test_the_worth_of_what_is_carried_by_hand() -> None:
    """lambda = dr/dx - dr/da A / B, with the own share 1/N in all that is a mean."""
    p = linear_quadratic.Parameters(D=0.3)
    game = built("linear_quadratic", games=2, followers=4, D=0.3)
    random = np.random.default_rng(0)
    x, a = random.standard_normal((2, 4)), random.uniform(-1, 1, (2, 4))
    z, abar = x.mean(1, keepdims=True), a.mean(1, keepdims=True)
    g = [torch.full((2, 1), 0.4, dtype=torch.float64)]
    shocks = {"eps": torch.zeros(2, 4, dtype=torch.float64)}
    output = outputs(a[..., None], game.follower_action_space)
    for n, mean in ((0.0, price_takers_mean), (1 / 4, partial(own_share_mean, followers=4))):
        by_x = -p.Q * (x - p.H * z) * (1 - p.H * n)
        by_a = -(p.R * a + p.M * abar + p.M * a * n)
        expected = by_x - by_a * (p.A + p.D * n) / p.B
        state = {"x": torch.from_numpy(x)}
        found = worth_of_carried(game, sides(game)[1], state, g, output, shocks, mean)
        np.testing.assert_allclose(found[..., 0].numpy(), expected, rtol=1e-12, atol=1e-12)


def test_the_worth_of_two_numbers_that_are_carried_by_hand() -> None:
    """Savings and skill: those whose one decision moves both are told apart by both decisions together."""
    game = TwoStocks(games=3, followers=4)
    state = tensors(game.first_state(np.random.default_rng(0), 3), DOUBLE)
    shocks = tensors(game.shocks(np.random.default_rng(1), np.zeros(3)), DOUBLE)
    told = [torch.full((3, 1), EXACT_TAX, dtype=torch.float64)]
    decided = np.broadcast_to([EXACT_LEARNED, EXACT_SAVED], (3, 4, 2))
    output = outputs(decided, game.follower_action_space)
    found = worth_of_carried(game, sides(game)[1], state, told, output, shocks, price_takers_mean)
    # lambda of a year that is met: its own earnings, and what is kept of it
    expected = [X_PAYS + X_KEPT * WORTH_X, Y_PAYS + Y_KEPT * WORTH_Y]
    np.testing.assert_allclose(found.numpy(), np.broadcast_to(expected, (3, 4, 2)), rtol=1e-9)


def test_a_price_of_what_no_decision_moves_is_nothing() -> None:
    reward = torch.tensor([[[1.0, 2.0]]])
    kept = torch.tensor([[[[1.0, 0.0], [0.0, 0.0]]]])
    assert _divided(reward, kept).tolist() == [[[1.0, 0.0]]]
    assert _divided(reward[..., :1], kept[..., 1:, 1:]).tolist() == [[[0.0]]]
    assert _divided(reward, torch.full((1, 1, 2, 2), torch.nan)).isfinite().all()


def test_the_worth_of_capital_is_what_it_buys_at_the_same_saving() -> None:
    """Finite differences: a little more capital, all of it consumed, so that k' stays."""
    game = built("brock_mirman", games=1, followers=6)
    p, k = game.parameters, np.exp(np.random.default_rng(2).normal(-1.5, 0.8, (1, 6)))
    K, tau, s = k.mean(), 0.3, 0.25
    Y = p.A * K**p.al

    def income(k: Array) -> Array:
        return (1 - tau) * ((1 - p.al) * Y + p.al * Y / K * k)

    kept, step = s * income(k), 1e-6
    expected = (np.log(income(k + step) - kept) - np.log(income(k - step) - kept)) / (2 * step)
    output = outputs(np.full((1, 6, 1), s), game.follower_action_space)
    action = [torch.full((1, 1), tau, dtype=torch.float64)]
    state = {"capital": torch.from_numpy(k)}
    found = worth_of_carried(game, sides(game)[1], state, action, output, {}, price_takers_mean)
    np.testing.assert_allclose(found[..., 0].numpy(), expected, rtol=1e-8)


# --- slopes, and the loss that they make -----------------------------------------------------------------------------
def test_slopes_and_curvature_of_a_year_by_hand() -> None:
    game = built("linear_quadratic", games=1, followers=3)
    p, a = game.parameters, np.array([[0.3, -0.6, 1.2]])
    state = {"x": torch.zeros(1, 3, dtype=torch.float64)}
    shocks = {"eps": torch.zeros(1, 3, dtype=torch.float64)}
    output = outputs(a[..., None], game.follower_action_space).requires_grad_()
    zero = torch.zeros(1, 1, dtype=torch.float64)
    window = play_window(
        game, sides(game)[1], state, [shocks], lambda *_: ([zero], zero[..., None], output), price_takers_mean
    )
    unit = linear_quadratic.LARGEST_ACTION  # of a in one of u
    own = -unit * (p.R * a + p.M * a.mean())
    np.testing.assert_allclose(window_residuals(game, window, None)[0][..., 0].numpy(), own, rtol=1e-12)
    worth = torch.tensor([[2.0, 3.0, 5.0]], dtype=torch.float64).unsqueeze(-1)
    kept = game.discount * worth[..., 0].numpy() * p.B * unit
    np.testing.assert_allclose(window_residuals(game, played_again(window, game, output), worth)[0][..., 0], own + kept)
    bends = curvature(game, sides(game)[1], window.years[0], price_takers_mean)
    np.testing.assert_allclose(bends[..., 0].numpy(), np.full((1, 3), -p.R * unit**2), rtol=1e-12)
    np.testing.assert_allclose(window.following["x"].detach().numpy(), p.B * a, rtol=1e-12)
    assert window.ended is None


def played_again(window: Window, game: ArithmeticGame, output: Tensor) -> Window:
    """The same year with a graph of its own."""
    year = window.years[0]
    return play_window(
        game, sides(game)[1], year.state, [year.shocks], lambda *_: (year.leader, year.told, output), price_takers_mean
    )


@pytest.mark.parametrize("years", [2, 7])
def test_every_year_of_a_window_holds_at_the_exact_saving_rule(years: int) -> None:
    game = built("brock_mirman", games=3, followers=30)
    exact = brock_mirman.solution(game.parameters, 30, "stackelberg")
    found, _ = own_residual(game, exact, 0, price_takers_mean, years)
    assert len(found) == years
    assert float(torch.stack(found).abs().max()) < 1e-11


def test_a_long_window_tells_too_much_saving_from_the_right_one_where_a_year_hardly_does() -> None:
    """Poor households who save 1 % of it too much, for ever: their own condition of one year hardly notices."""
    game = built("brock_mirman", games=1, followers=200)
    side, p = sides(game)[1], game.parameters
    start = tensors(game.first_state(np.random.default_rng(5), 1), DOUBLE)
    poor = start["capital"] / start["capital"].mean() < 0.3
    tau = torch.full((1, 1), p.optimal_tax, dtype=torch.float64)

    def meet(_: int, state: Any) -> tuple[list[Tensor], Tensor, Tensor]:
        q = state["capital"] / price_takers_mean(state["capital"])
        share = torch.where(poor, 1.01, 1.0) * p.be * p.al * q / (1 - p.al + p.al * q)
        u = 2 * (torch.logit(share) - side.low) / (side.high - side.low) - 1
        u = u.unsqueeze(-1)
        return [tau], tau[..., None], u if u.requires_grad else u.requires_grad_()

    seen = []
    for years in (1, 25):
        window = play_window(game, side, start, [{}] * years, meet, price_takers_mean)
        following = {"capital": window.following["capital"].detach()}
        worth = worth_of_carried(game, side, following, [tau], meet(0, following)[2], {}, price_takers_mean)
        found = window_residuals(game, window, worth)[0]
        bends = curvature(game, side, window.years[0], price_takers_mean)
        seen.append(float((found / bends)[0, poor[0]].abs().mean()))
    assert seen[1] > 5 * seen[0]


def test_a_window_s_derivative_is_that_of_the_rewards_a_policy_earns() -> None:
    """Finite differences of the whole sum in a single output, later outputs a function of what is carried."""
    game = built("brock_mirman", games=1, followers=4)
    side, state = sides(game)[1], tensors(game.first_state(np.random.default_rng(1), 1), DOUBLE)
    worth = torch.full((1, 4), 0.7, dtype=torch.float64)
    zero = torch.zeros(1, 1, dtype=torch.float64)
    K = state["capital"].mean(-1, keepdim=True)

    def play(nudge: float) -> tuple[Window, float]:
        def meet(year: int, at: Any) -> tuple[list[Tensor], Tensor, Tensor]:
            move = torch.tensor([[nudge if year == 0 else 0.0, 0.0, 0.0, 0.0]], dtype=torch.float64)
            u = (0.2 * torch.log(at["capital"] / K) + move).unsqueeze(-1)
            return [zero + 0.2], zero[..., None], u if u.requires_grad else u.requires_grad_()

        # prices of the path as it is: a household moves none
        window = play_window(game, side, state, [{}] * 3, meet, lambda x: K)
        kept = game.discount**3 * float((worth * window.following["capital"].detach()).sum())
        return window, float(window.reward.detach()) + kept

    found = window_residuals(game, play(0.0)[0], worth.unsqueeze(-1))[0][0, 0, 0]
    step = 1e-5
    expected = (play(step)[1] - play(-step)[1]) / (2 * step)
    np.testing.assert_allclose(float(found), expected, rtol=1e-6)


def test_years_side_by_side_keep_their_order() -> None:
    state = {"x": torch.tensor([[1.0, 2.0]])}
    years = [
        Year(state, [torch.ones(1, 1) * k], torch.ones(1, 1, 1) * k, {"e": state["x"]}, torch.full((1, 2, 1), k))
        for k in (0.0, 1.0)
    ]
    met = joined(years)
    assert met.output[..., 0].tolist() == [[0.0, 0.0], [1.0, 1.0]]
    assert met.leader[0].tolist() == [[0.0], [1.0]]
    assert met.told.flatten().tolist() == [0.0, 1.0]
    assert met.state["x"].shape == met.shocks["e"].shape == (2, 2)


def test_games_that_end_within_a_window_stand_still_and_say_so() -> None:
    game = built("linear_quadratic", games=2, followers=2)
    zero = torch.zeros(2, 1, dtype=torch.float64)
    calls = []

    class Ending:
        carried, discount, decisions, saved_by = "x", 0.5, ("a",), None

        def advance(self, state: Any, leader: Any, follower: Any, shocks: Any, mean: Any) -> Outcome:
            calls.append(state["x"].detach().clone())
            ended = torch.tensor([[len(calls) == 2], [False]])
            return Outcome(zero, follower[0] + 1, {"x": state["x"] + 1}, ended)

    u = torch.zeros(2, 2, 1, dtype=torch.float64, requires_grad=True)
    state = {"x": torch.zeros(2, 2, dtype=torch.float64)}
    window = play_window(Ending(), sides(game)[1], state, [{}] * 3, lambda *_: ([zero], zero[..., None], u), plain_mean)
    assert window.ended.tolist() == [[True], [False]]
    assert calls[2].tolist() == [[1.0, 1.0], [2.0, 2.0]]  # the first game stays where it was
    own = float(sides(game)[1].natural(u)[0][0, 0].detach()) + 1
    assert float(window.reward.detach()) == pytest.approx(2 * own * (1 + 1.75))


def test_own_share_and_price_takers_means_have_the_same_value_and_other_derivatives() -> None:
    x = torch.tensor([[1.0, 2.0, 6.0]], dtype=torch.float64, requires_grad=True)
    for mean, slope in ((price_takers_mean, 0.0), (partial(own_share_mean, followers=12), 1 / 12)):
        found = mean(x)
        np.testing.assert_allclose(found.detach().expand(1, 3).numpy(), np.full((1, 3), 3.0))
        if not slope:
            assert not found.requires_grad
            continue
        (own,) = torch.autograd.grad(found[0, 1], x)
        np.testing.assert_allclose(own.numpy(), [[0.0, slope, 0.0]])


def test_the_loss_s_step_is_newton_s_and_leaves_out_bounds_ends_and_what_is_no_number() -> None:
    game = built("linear_quadratic", games=3, followers=2)
    side = sides(game)[1]
    u = torch.tensor([[0.0, 1.0], [0.5, -1.0], [0.0, 0.0]], dtype=torch.float64).unsqueeze(-1).requires_grad_()
    found = torch.tensor([[2.0, 2.0], [-1.0, -1.0], [4.0, float("nan")]], dtype=torch.float64).unsqueeze(-1)
    bends = torch.full((3, 2, 1), -4.0, dtype=torch.float64)
    alive = torch.tensor([[True], [True], [True]])
    euler_loss(found, u, bends, side, 0.05, alive).mean().backward()
    newton = 1 / (4 * 1.05)
    # who rests at a bound and would rather pass it, and who is no number, asks for nothing
    expected = np.array([[2.0, 0.0], [-1.0, 0.0], [4.0, 0.0]]) * newton / 6
    np.testing.assert_allclose(-u.grad[..., 0].numpy(), expected, rtol=1e-12)
    u.grad = None
    alive[2] = False
    euler_loss(found, u, bends, side, 0.05, alive).mean().backward()
    assert float(u.grad[2].abs().sum()) == 0.0
    assert float(u.grad[:2].abs().sum()) > 0.0


def test_an_exploded_residual_means_no_more_than_its_sign() -> None:
    game = built("linear_quadratic", games=1, followers=2)
    u = torch.zeros(1, 2, 1, dtype=torch.float64, requires_grad=True)
    found = torch.tensor([[[1e30], [-1e25]]], dtype=torch.float64)
    euler_loss(found, u, torch.ones_like(found), sides(game)[1], 0.05, None).sum().backward()
    assert (-u.grad).flatten().tolist() == [1e3, -1e3]


def test_shares_move_by_what_is_left_of_them() -> None:
    game = built("brock_mirman", games=1, followers=3)
    shares = np.array([[[0.5], [0.02], [0.97]]])
    u = outputs(shares, game.follower_action_space).requires_grad_()
    found, bends = torch.ones(1, 3, 1, dtype=torch.float64), torch.ones(1, 3, 1, dtype=torch.float64)
    euler_loss(found, u, bends, sides(game)[1], 0.05, None).mean().backward()
    np.testing.assert_allclose(-u.grad[..., 0].numpy() * 3 * 1.05, [[0.5, 0.05, 0.05]], rtol=1e-12)


def test_what_moves_what_is_carried_is_named() -> None:
    game = built("brock_mirman", games=1, followers=3)
    assert saving_decisions(game) == (0,)
    economy = built("economy", preset="calibrated", games=1, followers=3)
    assert [economy.decisions[k] for k in saving_decisions(economy)] == ["saving_rate"]
