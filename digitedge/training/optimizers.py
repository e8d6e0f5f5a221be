"""The optimizers that a train config can name."""

from collections.abc import Callable

import keras

# Peak learning rate of AdamW. See docs/decisions/train-settings.md.
PEAK_RATE = 6e-3
# Weight decay of AdamW; a usual value.
WEIGHT_DECAY = 1e-2
# Share of all steps in which the rate rises.
WARMUP_SHARE = 0.05


def build_adamw(steps: int) -> keras.optimizers.Optimizer:
    """AdamW with a short warmup and a cosine decay to 0, after which a model quantizes well."""
    warmup = max(1, round(WARMUP_SHARE * steps))
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, max(1, steps - warmup), warmup_target=PEAK_RATE, warmup_steps=warmup
    )
    return keras.optimizers.AdamW(rate, weight_decay=WEIGHT_DECAY)


def build_rmsprop(_steps: int) -> keras.optimizers.Optimizer:
    """RMSprop with the defaults of Keras, as in the textbook."""
    return keras.optimizers.RMSprop()


OPTIMIZERS: dict[str, Callable[[int], keras.optimizers.Optimizer]] = {"adamw": build_adamw, "rmsprop": build_rmsprop}
"""Name -> builder that takes the number of steps of the whole training."""
