"""Learning in Stackelberg mean-field games: SMFRL and its relatives on RLlib.

What users need is here by name and imported when it is first asked for: `import rllib_smfg` loads no torch and no Ray.

    from rllib_smfg import SMFRLConfig, evaluate, make
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from rllib_smfg.foreign import refuse_foreign_packages

__version__ = "0.1.0"

refuse_foreign_packages()

if TYPE_CHECKING:
    from envs.arithmetic import ArithmeticGame as ArithmeticGame
    from envs.arithmetic import Outcome as Outcome
    from envs.game import InvalidSetting as InvalidSetting
    from envs.game import StackelbergMeanFieldGame as StackelbergMeanFieldGame
    from envs.registry import make as make
    from envs.scaling import FeatureScaling as FeatureScaling
    from envs.solution import solve as solve
    from policies.policy import FollowerPolicy as FollowerPolicy
    from policies.policy import LeaderPolicy as LeaderPolicy
    from rllib_smfg.export import TrainedPolicies as TrainedPolicies
    from rllib_smfg.export import load_policies as load_policies
    from rllib_smfg.paired import compare as compare
    from rllib_smfg.rllib.config import SMFRLConfig as SMFRLConfig
    from rllib_smfg.rllib.population_ppo.algorithm import PopulationPPO as PopulationPPO
    from rllib_smfg.rllib.population_ppo.config import PopulationPPOConfig as PopulationPPOConfig
    from rllib_smfg.rllib.smfrl import SMFRL as SMFRL
    from rllib_smfg.rllib.structural.algorithm import StructuralSMFRL as StructuralSMFRL
    from rllib_smfg.rllib.structural.config import StructuralSMFRLConfig as StructuralSMFRLConfig
    from rllib_smfg.rollout import evaluate as evaluate

# public name -> the module that has it; the imports above say the same to type checkers and editors
PUBLIC = {
    "make": "envs.registry",
    "solve": "envs.solution",
    "evaluate": "rllib_smfg.rollout",
    "compare": "rllib_smfg.paired",
    "load_policies": "rllib_smfg.export",
    "TrainedPolicies": "rllib_smfg.export",
    "SMFRL": "rllib_smfg.rllib.smfrl",
    "SMFRLConfig": "rllib_smfg.rllib.config",
    "StructuralSMFRL": "rllib_smfg.rllib.structural.algorithm",
    "StructuralSMFRLConfig": "rllib_smfg.rllib.structural.config",
    "PopulationPPO": "rllib_smfg.rllib.population_ppo.algorithm",
    "PopulationPPOConfig": "rllib_smfg.rllib.population_ppo.config",
    "StackelbergMeanFieldGame": "envs.game",
    "ArithmeticGame": "envs.arithmetic",
    "Outcome": "envs.arithmetic",
    "FeatureScaling": "envs.scaling",
    "LeaderPolicy": "policies.policy",
    "FollowerPolicy": "policies.policy",
    "InvalidSetting": "envs.game",
}
__all__ = ["__version__", *PUBLIC]


def __getattr__(name: str) -> Any:
    """A public name, imported now (PEP 562)."""
    if name not in PUBLIC:
        raise AttributeError(f"module 'rllib_smfg' has no attribute '{name}'")
    value = getattr(import_module(PUBLIC[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *PUBLIC})
