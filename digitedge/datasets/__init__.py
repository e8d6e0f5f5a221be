"""Data sets: MNIST, digits and annotated images on disk. Rendered ones are in `digitedge.synthetic`.

Out come uint8 arrays: data sets in MNIST's form (`Dataset`), labelled crops (`LabelledCrops`), and images with their
true boxes and rows (`AnnotatedImage`). Edge code: this package never imports TensorFlow.
"""
