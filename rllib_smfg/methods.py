"""The published methods by name: the rows of tables 1 and 2 of the paper, its ablations, and the AI Economist.

All but the AI Economist are settings of one machine (`settings.LearningSettings`): what each side's critic sees of the
population, whether households see the government's action of the year, and whether they learn at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from envs.game import InvalidSetting
from envs.registry import nearest

# gradient: SMFRL and its relatives (replay, deterministic policy gradients); proximal: policy optimisation in two
# phases; structural: derivatives of the game's own arithmetic; rules: nothing learns
Family = Literal["gradient", "proximal", "structural", "rules"]


@dataclass(frozen=True)
class Method:
    """What learns what, as table 2 says it, and what that means here.

    title: as the paper's tables print it. follower, leader: table 2's columns. fixed: settings that make the method
    what it is; a configuration may repeat them, not change them. chosen: its own values where one is silent.
    """

    title: str
    family: Family
    follower: str
    leader: str
    fixed: Mapping[str, Any] = field(default_factory=dict)
    chosen: Mapping[str, Any] = field(default_factory=dict)


SMFRL = Method("SMFRL", "gradient", follower="SMFRL", leader="SMFRL")  # the defaults of LearningSettings; all is free

# Mean-field reinforcement learning (Yang et al. 2018): a household's critic sees the mean field, the government's
# (DDPG, Lillicrap et al. 2015) only itself; both sides move at once.
MF_MARL = Method(
    "MF-MARL",
    "gradient",
    follower="Mean Field MARL",
    leader="DDPG",
    fixed={"leader_view": "own", "follower_view": "mean_field", "followers_see_leader": False},
)

# Multi-agent DDPG (Lowe et al. 2017): critics see everybody's state and action, actors only their own; a gradient
# moves one's own action and holds all others where the replay has them.
MADDPG = Method(
    "MADDPG",
    "gradient",
    follower="MADDPG",
    leader="MADDPG",
    fixed={
        "leader_view": "joint",
        "follower_view": "joint",
        "followers_see_leader": False,
        "leader_gradient": "partial",
        "follower_gradient": "game",
    },
)

# Independent DDPG (de Witt et al. 2020): everybody learns as if alone.
IDDPG = Method(
    "IDDPG",
    "gradient",
    follower="IDDPG",
    leader="IDDPG",
    fixed={"leader_view": "own", "follower_view": "own", "followers_see_leader": False},
)

# DDPG for the government alone; households are given.
DDPG_RANDOM = Method(
    "DDPG",
    "gradient",
    follower="random",
    leader="DDPG",
    fixed={"leader_view": "own", "follower_view": "own", "followers_see_leader": False, "follower": "random"},
)
DDPG_BC = replace(
    DDPG_RANDOM,
    title="DDPG-BC",
    follower="behaviour-cloned",
    fixed={**DDPG_RANDOM.fixed, "follower": "real_data"},
)

RULE_BASED = Method("Rule-based", "rules", follower="random or behaviour-cloned", leader="a rule, e.g. free market")

# Two-level proximal policy optimisation (Zheng et al. 2022); with cloned households to start from, they take the place
# of the first phase.
AI_ECONOMIST = Method("AI Economist", "proximal", follower="PPO", leader="PPO", fixed={"pretrain": None})
AI_ECONOMIST_BC = Method(
    "AI Economist-BC",
    "proximal",
    follower="PPO, cloned before",
    leader="PPO",
    chosen={"pretrain": "real_data/ai_economist", "free_market_years": 0},
)

# Derivatives of the game's own arithmetic instead of critics (`rllib_smfg.structural`).
STRUCTURAL = Method("Structural SMFRL", "structural", follower="Euler residuals of own play", leader="whole paths")

METHODS: dict[str, Method] = {
    "structural": STRUCTURAL,
    "smfrl": SMFRL,
    "rule_based": RULE_BASED,
    "ddpg_random": DDPG_RANDOM,
    "ddpg_bc": DDPG_BC,
    "maddpg": MADDPG,
    "iddpg": IDDPG,
    "mf_marl": MF_MARL,
    "ai_economist": AI_ECONOMIST,
    "ai_economist_bc": AI_ECONOMIST_BC,
    # SMFG without its Stackelberg order, without its mean field, without both: the authors' README runs the ablations
    # as MF-MARL, MADDPG and IDDPG
    "smfg_s": replace(MF_MARL, title="SMFG-S"),
    "smfg_mf": replace(MADDPG, title="SMFG-MF"),
    "smfg_s_mf": replace(IDDPG, title="SMFG-S-MF"),
}


def method(name: str) -> Method:
    """The method `name`; raises InvalidSetting for an unknown one."""
    if name not in METHODS:
        raise InvalidSetting(f"unknown method '{name}'{nearest(name, list(METHODS))}")
    return METHODS[name]


def with_method(settings: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The settings that a configuration states, and the method's own where it is silent.

    Raises InvalidSetting for a setting that the method rules out.
    """
    chosen = method(name)
    for setting, value in chosen.fixed.items():
        if setting in settings and not _same(settings[setting], value):
            raise InvalidSetting(
                f"{setting} = {_plain(settings[setting])}: method '{name}' means {_plain(value)}; leave it out, or"
                " choose another method"
            )
    return {**chosen.chosen, **chosen.fixed, **settings}


def _same(stated: Any, fixed: Any) -> bool:
    """Whether they are equal; policies are told apart by their names, the rest of them is free."""
    return bool((stated.get("name") if isinstance(stated, Mapping) else stated) == fixed)


def _plain(value: Any) -> str:
    """As YAML writes it."""
    if isinstance(value, Mapping):
        value = value.get("name")
    return {None: "null", True: "true", False: "false"}.get(value, str(value))
