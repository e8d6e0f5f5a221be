"""The plain loop that bulk reading is compared with: one process on one core reads image after image.

    python tests/performance/bulk_loop.py FOLDER RESULTS

Prints JSON: pages, seconds and processor time without start-up, peak memory in bytes, and the bytes a page of
each format, for as many pages as are distinct: equal ones would be compressed to nothing.
"""

import json
import sys
import time
from dataclasses import replace
from pathlib import Path

from bulk_pages import DISTINCT

from digitedge.benchmark.memory import peak_bytes
from digitedge.bulk.formats import FORMATS
from digitedge.reader import Reader
from digitedge.reader.page_result import PageResult
from digitedge.reader.read_options import ReadOptions
from digitedge.utils.images import read_image
from digitedge.utils.opencv import cv2


def main(folder: Path, target: Path) -> None:
    cv2.setNumThreads(1)
    reader, options, paths = Reader(), ReadOptions(), sorted(folder.iterdir())
    results = []
    started, cpu = time.perf_counter(), time.process_time()
    with target.open("w") as file:
        for path in paths:
            reading = options.read(reader, read_image(path), source=str(path))
            file.write(json.dumps(reading.to_dict()) + "\n")
            if len(results) < DISTINCT:
                results.append(PageResult(str(path), None, replace(reading, trace=None)))
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    peak = peak_bytes()
    sizes = {name: len(one.encode(results)) / len(results) for name, one in FORMATS.items()}
    digits = sum(len(result.reading.digits) for result in results if result.reading) / len(results)
    found = {"pages": len(paths), "seconds": seconds, "cpu_s": cpu, "peak_bytes": peak}
    print(json.dumps(found | {"result_bytes": sizes, "digits": digits}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
