"""Where digits come from: MNIST, pictures on disk, anyone's arrays. What is drawn here is in `digitedge.rendering`.

Out come uint8 arrays: data sets in MNIST's form (`Dataset`), labelled crops (`DigitSet`) and pictures with their true
boxes and rows (`LabelledPicture`). Edge code: this room never imports TensorFlow.
"""
