"""The seeds of one run side by side: each in a process of its own, on any node, told of on one screen."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from experiments.configuration.config import Experiment
from experiments.training.progress import LiveDisplay, PlainDisplay
from experiments.tuning.trial_training import Work, train
from rllib_smfg.processes.interrupts import Stopped
from rllib_smfg.processes.side_by_side import Tell, Telling, bundles, here, on_all_nodes, room_for, told_side_by_side
from rllib_smfg.storage.buckets import HOW
from rllib_smfg.storage.checkpoints import ERROR
from rllib_smfg.storage.files import write_text
from rllib_smfg.storage.places import Bucket, Place


def train_side_by_side(
    experiment: Experiment, seeds: Mapping[int, Path], screen: PlainDisplay | LiveDisplay, place: Place | None
) -> bool:
    """Trains seeds, each in its folder; False, with nothing done, where Ray has no room for two of them.

    Raises Interrupted once all are saved, and Stopped, once the others are done, where one failed.
    """
    training, bucket = experiment.training, place.bucket if place else None
    gpus = getattr(experiment.algorithm_config(training.seeds[0]), "num_gpus_per_learner", 0)
    needed = bundles(training.env_runners, training.learners, gpus)
    if room_for(needed) < 2:
        return False
    folder = next(iter(seeds.values())).parent.resolve()
    if bucket is None and not on_all_nodes(folder):
        screen.note(f"{folder}: is on this node alone, so its seeds are; for all nodes --storage {HOW}")
        needed[0] |= here()
    settings, calls = experiment.model_dump(mode="json"), {}
    for seed, own in seeds.items():
        calls[seed] = (Work(f"seed {seed}", settings, seed, str(folder / own.name), own.name, bucket),)
    screens = {seed: screen.beside(f"seed {seed}") for seed in seeds}
    try:
        troubles = told_side_by_side(_train, calls, needed, screens)
    finally:
        for own in seeds.values() if bucket else ():
            Bucket(str(bucket)).pull(own.name, own)
    said = []
    for seed, trouble in troubles.items():
        write_text(seeds[seed] / ERROR, trouble.trace or trouble.text)
        said.append(f"seed {seed}: {trouble.text.removeprefix('stopped: ')}")
    if said:
        raise Stopped(f"stopped: {'; '.join(said)}")
    return True


def _train(tell: Tell, work: Work) -> None:
    train(work.at_home(), lambda _, mirror: Telling(tell, mirror.follow))
