"""Learn a hand on the device, without TensorFlow: own digits in, an adaptation of an exported file out.

In: labelled crops, and a model whose file gives features.
Out: `digitedge.bundle.adaptation.Adaptation`, with what it changes on the own digits and on everything else.
"""
