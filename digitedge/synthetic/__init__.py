"""Digits, pages, scenes and marks drawn here, with their exact truth, so that nothing has to be downloaded.

Five rooms, each built on those before it: `hand` writes characters, `marks` are crops that are no digits, `paper` is
what is written on and what else is there, `camera` is what light and lens make of it, and `scenes` puts all together
and cuts it up again as the search does. Edge code: this room never imports TensorFlow.
"""
