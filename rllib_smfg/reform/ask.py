"""Asks all kinds of households about all policies, two at a time where there are cores for it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from multiprocessing import get_context

from envs.game import InvalidSetting
from rllib_smfg.playing import one_thread
from rllib_smfg.reform.answer import KINDS, Answer
from rllib_smfg.reform.foreseen import foreseen
from rllib_smfg.reform.lucky import learned, planners
from rllib_smfg.reform.question import Question, ReformPolicy
from rllib_smfg.reform.rates import Rates, rates_of
from rllib_smfg.reform.tornado import ALL, Case, Tornado, gain, tornado

MOST_PROCESSES = 2
ASKED: dict[str, Callable[[Question, ReformPolicy], Answer]] = {
    "planning": planners,
    "perfect_foresight": foreseen,
    "learned": learned,
}


@dataclass(frozen=True)
class PolicyFound:
    """What was found about a policy. silent: kinds of households who cannot answer, and why.

    rates: what is taken of earnings, with the policy and without it, in words; None where there is no path.
    """

    policy: ReformPolicy
    answers: Mapping[str, Answer]
    silent: Mapping[str, str]
    rates: Mapping[str, Rates] | None = None
    tornado: Tornado | None = None

    @property
    def main(self) -> Answer:
        """The answer that the tables of the economy are of: the first kind that answered."""
        return next(iter(self.answers.values()))


@dataclass
class _Collected:
    """What has come in about a policy so far."""

    answers: dict[str, Answer] = field(default_factory=dict)
    silent: dict[str, str] = field(default_factory=dict)
    rates: Mapping[str, Rates] | None = None
    gains: dict[Case, float | None] = field(default_factory=dict)


def ask(
    question: Question, kinds: Sequence[str] = tuple(KINDS), sensitivity: bool = False, processes: int | None = None
) -> list[PolicyFound]:
    """What every kind of households answers about every policy.

    processes: how many work on it; empty: as many as there are cores, at most two. Raises InvalidSetting where nobody
    can answer about a policy, with what the first of them says.
    """
    # what takes longest comes first
    by_length = sorted(kinds, key=LONGEST_FIRST.index)
    tasks: list[PolicyTask] = [(policy, kind) for kind in by_length for policy in question.policies]
    if sensitivity:
        tasks += [(policy, case) for policy in question.policies for case in ALL]
    collected = {policy: _Collected() for policy in question.policies}
    for (policy, asked), result in _worked(question, tasks, processes or min(MOST_PROCESSES, os.cpu_count() or 1)):
        own = collected[policy]
        if isinstance(asked, Case):
            assert not isinstance(result, str | tuple)
            own.gains[asked] = result
        elif isinstance(result, str):
            own.silent[asked] = result
        elif isinstance(result, tuple):
            own.answers[asked], rates = result
            own.rates = rates or own.rates
    return [_complete(policy, own, kinds) for policy, own in collected.items()]


SENSITIVITY = "sensitivity"
LONGEST_FIRST = ("perfect_foresight", "learned", "planning")
PolicyTask = tuple[ReformPolicy, str | Case]  # a kind of households, or an economy in which the gain is asked for
TaskResult = str | float | None | tuple[Answer, Mapping[str, Rates] | None]


def _complete(policy: ReformPolicy, own: _Collected, kinds: Sequence[str]) -> PolicyFound:
    if not own.answers:
        raise InvalidSetting(f"'{policy.title}': {own.silent[kinds[0]]}")
    ordered = {kind: own.answers[kind] for kind in kinds if kind in own.answers}
    return PolicyFound(policy, ordered, own.silent, own.rates, _swings(policy, own))


def _swings(policy: ReformPolicy, own: _Collected) -> Tornado | None:
    """What moves the answer, where it was asked for; `silent` says why there is none."""
    try:
        return tornado(policy, own.gains) if own.gains else None
    except InvalidSetting as error:
        own.silent[SENSITIVITY] = str(error)
        return None


def _worked(question: Question, tasks: Sequence[PolicyTask], processes: int) -> list[tuple[PolicyTask, TaskResult]]:
    if processes == 1 or len(tasks) == 1:
        return [(task, _work(question, task)) for task in tasks]
    with ProcessPoolExecutor(min(processes, len(tasks)), mp_context=get_context("spawn")) as pool:
        running = {pool.submit(_work, question, task): task for task in tasks}
        return [(running[each], each.result()) for each in as_completed(running)]


def _work(question: Question, task: PolicyTask) -> TaskResult:
    """An answer with the rates that go with it, or why there is none; the gain in another economy."""
    policy, kind = task
    with one_thread():
        if isinstance(kind, Case):
            return gain(question, policy, kind)
        try:
            answer = ASKED[kind](question, policy)
            if kind != "perfect_foresight":
                return answer, None
            return answer, rates_of(question, policy)
        except InvalidSetting as error:
            return str(error)
