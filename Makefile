# Every target sets up what it needs in .venv. On a fresh machine `make demo` and `make test` work at once.
PYTHON ?= python3
BIN := .venv/bin
# A slow test may take this long, in seconds; other tests have the limit of pyproject.toml.
SLOW_TIMEOUT := 1200
# make search SCHEDULER=tcp://HOST:8786 trains on a Dask cluster; so does release-seeds. See docs/guide/cluster.md.
ON_CLUSTER := $(if $(SCHEDULER),--scheduler $(SCHEDULER))

.PHONY: help demo test test-slow test-edge test-avx2 test-arm64 instructions check bench bench-bulk size soak fuzz search ablation limits images chaos release release-seeds fixtures wheel clean

help:
	@echo "make demo          train briefly, export, verify, read a rendered clip (about 5 minutes)"
	@echo "make test          run the tests (about 6 minutes)"
	@echo "make test-slow     run the tests that take longer: training, whole commands, the demos, large images"
	@echo "make test-edge     run the tests in an environment without TensorFlow"
	@echo "make test-avx2     verify the released files on an emulated processor without AVX-512 (an hour or more)"
	@echo "make test-arm64    run the tests on an emulated Raspberry Pi and compare its readings (root; 20 minutes)"
	@echo "make check         run ruff and mypy; check that the tables of the documents match the released bundles"
	@echo "make bench         measure the speed beside OpenCV, the bare runtimes and other networks"
	@echo "make bench-bulk    measure bulk reading against a plain loop, also on a local Dask cluster (10 minutes)"
	@echo "make instructions  count the processor instructions of an inference and of a frame (valgrind; 15 minutes)"
	@echo "make size          measure the size of the wheel and of everything that is installed with it"
	@echo "make soak          read 20,000 frames; memory, threads and open files must not grow (10 minutes)"
	@echo "make chaos         let processes, disks, brokers, streams and servers fail, and flood the live page (20 minutes)"
	@echo "make fuzz          load 20,000 files that lie; nothing may crash, hang, raise or take 600 MB (20 minutes)"
	@echo "make images        make the images of README.md again (Chromium)"
	@echo "make limits        measure again where the reader begins to fail: docs/limits (10 minutes)"
	@echo "make search        compare architectures (15 minutes)"
	@echo "make ablation      measure what each augmentation is worth (15 minutes)"
	@echo "make release       fine-tune, export and evaluate the released bundles; update export/ and the tables (an hour)"
	@echo "make release-seeds do the same for three seeds in the background and report the spread; export/ stays as it is"
	@echo "make fixtures      make the small models that the tests use again"
	@echo "make wheel         build the wheel in dist/"
	@echo "make clean         remove .venv and everything that was built"

demo: .venv/ready
	$(BIN)/digitedge demo

test: .venv/ready
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile -m 'not slow' $(PYTEST_ARGS)

test-slow: .venv/ready
	$(BIN)/python -m pytest --numprocesses 2 -m slow --timeout $(SLOW_TIMEOUT) $(PYTEST_ARGS)

# The wheel, installed as on a device. Tests that need TensorFlow are left out.
test-edge:
	rm -rf .venv-edge && $(PYTHON) -m venv .venv-edge
	.venv-edge/bin/pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	.venv-edge/bin/pip install --quiet '.[onnx,web,mqtt,trust,pdf,heic,parquet,cluster,serve]' pytest pytest-timeout hypothesis httpx
	@$(call start_opencv,.venv-edge)
	.venv-edge/bin/pytest tests --timeout $(SLOW_TIMEOUT) $(PYTEST_ARGS)

test-avx2: .venv/ready
	$(BIN)/python tests/processors/avx2.py

test-arm64: .venv/ready
	$(BIN)/python tests/processors/arm64.py

instructions: .venv/ready
	$(BIN)/python tests/processors/instructions.py

check: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python export/figures.py --check

bench: .venv/ready
	$(BIN)/python tests/performance/reading_speed.py
	$(BIN)/python tests/performance/overhead.py
	$(BIN)/python tests/performance/published_networks.py
	$(BIN)/python tests/performance/frame_to_reading.py
	$(BIN)/python tests/performance/synthetic_digits.py
	$(BIN)/python tests/performance/training_overhead.py
	$(BIN)/python tests/experiments/augmentation_share.py

bench-bulk: .venv/ready
	PYTHONPATH="tests:$$PYTHONPATH" $(BIN)/python tests/performance/bulk_speed.py $(BENCH_ARGS)

size: .venv/ready
	$(BIN)/python tests/performance/size.py

soak: .venv/ready
	$(BIN)/python tests/performance/soak.py

chaos: .venv/ready
	PYTHONPATH="tests:$$PYTHONPATH" $(BIN)/python -m chaos $(CHAOS_ARGS)

fuzz: .venv/ready
	PYTHONPATH="tests:$$PYTHONPATH" $(BIN)/python -m fuzz $(FUZZ_ARGS)

images: .venv/ready
	$(BIN)/python docs/make_images.py

search: .venv/ready
	$(BIN)/python tests/experiments/architectures.py $(ON_CLUSTER)

ablation: .venv/ready
	$(BIN)/python tests/experiments/augmentation_ablation.py

limits: .venv/ready
	$(BIN)/python docs/limits/make.py

release: .venv/ready
	$(BIN)/python export/release.py

release-seeds: .venv/ready
	@mkdir -p runs/release
	nohup $(BIN)/python export/release.py --seeds 3 $(ON_CLUSTER) > runs/release/seeds.log 2>&1 &
	@echo "running in the background: trainings in runs/release/seed-K.log, those that are done in runs/release/seeds.log, the spread in runs/release/spread.md"

fixtures: .venv/ready
	$(BIN)/python tests/fixtures/make_models.py

wheel: .venv/ready
	$(BIN)/pip wheel --quiet --no-deps --wheel-dir dist .
	@ls -l dist

clean:
	rm -rf .venv .venv-edge dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis

# opencv-python needs shared objects that a machine without a screen lacks; opencv-python-headless does not. Both write
# the same files, so both are removed before the other one is installed.
define start_opencv
$(1)/bin/python -c 'import cv2' 2>$(1)/opencv.log || { \
  grep -q '\.so' $(1)/opencv.log || { cat $(1)/opencv.log; exit 1; }; \
  echo "note: opencv-python cannot start here ($$(tail -n 1 $(1)/opencv.log))"; \
  echo "note: using opencv-python-headless in $(1), which shows no windows. For windows: sudo apt install libgl1 libglib2.0-0, then make clean"; \
  $(1)/bin/pip uninstall --quiet --yes opencv-python opencv-python-headless 2>/dev/null && $(1)/bin/pip install --quiet opencv-python-headless && $(1)/bin/python -c 'import cv2'; }
endef

.venv/ready: pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "error: $(PYTHON) is missing. Run: sudo apt install python3 python3-venv"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || { echo "error: digitedge needs Python 3.11 to 3.13, got $$($(PYTHON) --version). Run: make PYTHON=python3.12 demo"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "error: the venv module is missing. Run: sudo apt install python3-venv"; exit 1; }
	@echo "setting up .venv (TensorFlow is large: a few minutes)"
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	@if $(BIN)/pip --disable-pip-version-check show --quiet opencv-python-headless 2>/dev/null; then $(BIN)/pip uninstall --quiet --yes opencv-python opencv-python-headless 2>/dev/null; fi
	@$(BIN)/pip install --quiet --editable '.[train,onnx,web,mqtt,trust,pdf,heic,parquet,cluster,serve]' --group dev
	@$(call start_opencv,.venv)
	@touch $@
