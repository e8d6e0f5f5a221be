"""Checks of model files before native code sees them.

A runtime trusts what a file says of itself: one wrong number in a well-formed `.tflite` can corrupt its memory. So each
file is read here first, in Python, in bounds. It is refused if it contradicts itself or asks for too much. If it has a
part that is not known here, it is tried in a child process, which may crash alone. Else it is loaded at once.
"""
