"""The optimizers that a train config can name."""

from collections.abc import Callable
from enum import StrEnum

import keras


class Purpose(StrEnum):
    """What a training starts from, and what it is for."""

    NEW = "new weights"
    FINE_TUNING = "fine-tuning"
    OWN_DIGITS = "fine-tuning on own digits"


# Peak learning rates of AdamW. See docs/decisions/train-settings.md and docs/decisions/own-hand.md.
ADAMW_RATES = {Purpose.NEW: 6e-3, Purpose.FINE_TUNING: 3e-3, Purpose.OWN_DIGITS: 1e-3}
# Learning rates of RMSprop; for new weights the default of Keras, as in the textbook.
RMSPROP_RATES = {Purpose.NEW: 1e-3, Purpose.FINE_TUNING: 1e-4, Purpose.OWN_DIGITS: 1e-4}
# Weight decay of AdamW; a usual value.
WEIGHT_DECAY = 1e-2
# Share of all steps in which the rate rises.
WARMUP_SHARE = 0.05


def build_adamw(steps: int, purpose: Purpose) -> keras.optimizers.Optimizer:
    """AdamW with a short warmup and a cosine decay to 0, after which a model quantizes well."""
    warmup = max(1, round(WARMUP_SHARE * steps))
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, max(1, steps - warmup), warmup_target=ADAMW_RATES[purpose], warmup_steps=warmup
    )
    return keras.optimizers.AdamW(rate, weight_decay=WEIGHT_DECAY)


def build_rmsprop(steps: int, purpose: Purpose) -> keras.optimizers.Optimizer:
    """RMSprop at a constant rate, however many steps there are."""
    del steps
    return keras.optimizers.RMSprop(RMSPROP_RATES[purpose])


OPTIMIZERS: dict[str, Callable[[int, Purpose], keras.optimizers.Optimizer]] = {
    "adamw": build_adamw,
    "rmsprop": build_rmsprop,
}
"""Name -> builder that takes the number of steps of the whole training, and its purpose."""
