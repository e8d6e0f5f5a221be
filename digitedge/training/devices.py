"""What TensorFlow trains on."""

import tensorflow as tf

from digitedge.engines.process_pool import available_cores


def describe_device() -> str:
    """Name the device that a training uses: the first GPU that TensorFlow finds, else the CPU with its cores.

    CUDA_VISIBLE_DEVICES restricts the GPUs; "-1" leaves none.
    """
    gpus = tf.config.get_visible_devices("GPU")
    if not gpus:
        cores = available_cores()
        return f"CPU, {cores} core{'' if cores == 1 else 's'}"
    name = tf.config.experimental.get_device_details(gpus[0]).get("device_name", gpus[0].name)
    return f"GPU, {name}"
