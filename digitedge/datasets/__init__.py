"""Where digits come from: MNIST, images on disk, anyone's arrays. What is drawn here is in `digitedge.synthetic`.

Out come uint8 arrays: data sets in MNIST's form (`Dataset`), labelled crops (`DigitSet`) and images with their true
boxes and rows (`LabelledImage`). Edge code: this room never imports TensorFlow.
"""
