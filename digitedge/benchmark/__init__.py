"""Measure latency, memory and start-up time on this machine, compare two reports, and advise.

In: a bundle, or one file. Out: a report in plain JSON, schema "digitedge.bench/1".

Each file and thread count is measured in a process of its own, so that load time and memory are its own and a crash of
a runtime affects nothing else.
"""
