"""The optimizers that a train config can name."""

from collections.abc import Callable

import keras

# Peak learning rate of AdamW for new weights, and for those of a trained model. See docs/decisions/train-settings.md.
PEAK_RATE = 6e-3
FINE_TUNING_RATE = 3e-3
# Weight decay of AdamW; a usual value.
WEIGHT_DECAY = 1e-2
# Share of all steps in which the rate rises.
WARMUP_SHARE = 0.05


def build_adamw(steps: int, *, fine_tuning: bool) -> keras.optimizers.Optimizer:
    """AdamW with a short warmup and a cosine decay to 0, after which a model quantizes well."""
    warmup = max(1, round(WARMUP_SHARE * steps))
    rate = keras.optimizers.schedules.CosineDecay(
        0.0,
        max(1, steps - warmup),
        warmup_target=FINE_TUNING_RATE if fine_tuning else PEAK_RATE,
        warmup_steps=warmup,
    )
    return keras.optimizers.AdamW(rate, weight_decay=WEIGHT_DECAY)


def build_rmsprop(steps: int, *, fine_tuning: bool) -> keras.optimizers.Optimizer:
    """RMSprop with the defaults of Keras, as in the textbook, however many steps there are."""
    del steps
    return keras.optimizers.RMSprop(1e-4 if fine_tuning else 1e-3)


OPTIMIZERS: dict[str, Callable[..., keras.optimizers.Optimizer]] = {"adamw": build_adamw, "rmsprop": build_rmsprop}
"""Name -> builder that takes the number of steps of the whole training, and whether a trained model is fine-tuned."""
