"""Where digits come from: MNIST, pictures on disk, and digits, scenes and clips rendered here.

Out come uint8 arrays: data sets in MNIST's form (`Dataset`), and frames with their true boxes and rows (`Scene`). Edge
code: this room never imports TensorFlow.
"""
