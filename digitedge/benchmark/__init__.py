"""How fast everything is on this machine, and what follows from it.

In: a bundle, or one file. Out: a report in plain JSON, schema "digitedge.bench/1", which other machines can send.

One question per file: `file_speed` (one exported file with so many threads), `frame_speed` (one frame, stage by stage,
on the `pages` that are rendered for it), `cold_start` (the command itself), `system` (what machine this is, and whether
it is hot, throttled or busy). `run` asks them all. `advice` draws the conclusions, `compare` judges a report against
an older one, `tables` prints.

Each file and each thread count is measured in a process of its own: only so are load time and memory its own, and a
runtime that crashes takes nothing with it.
"""
