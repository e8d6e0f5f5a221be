"""Measure latency, memory and start-up time on this machine, compare two reports, and advise.

In: a bundle, or one file. Out: a report in plain JSON, schema "digitedge.bench/1".

`file_speed` measures one exported file, `frame_speed` the stages of reading a rendered frame, `cold_start` whole
commands; `system` describes the machine and finds disturbances. `run` measures everything, `advice` recommends a file,
`compare` compares two reports, `tables` prints them.

Each file and thread count is measured in a process of its own, so that load time and memory are its own and a crash of
a runtime affects nothing else.
"""
