# Every target sets up what it needs in .venv. `make demo` and `make test` are all that a fresh machine needs.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: help demo test test-slow test-edge test-avx2 test-arm64 instructions check bench size soak search ablation limits release release-seeds fixtures wheel clean

help:
	@echo "make demo      train shortly, export, verify, read a rendered clip (about 5 minutes)"
	@echo "make test      run the tests"
	@echo "make test-slow run the tests of whole programs: the workshop's commands, the demos, an image of 100 megapixels"
	@echo "make test-edge run the edge half's tests where no TensorFlow is installed"
	@echo "make test-avx2 verify the released files on an emulated processor without AVX-512 and VNNI (an hour or more)"
	@echo "make test-arm64 run the edge half on an emulated Raspberry Pi and compare it with this machine (root; 20 minutes)"
	@echo "make instructions  count the instructions of an inference and of a frame (valgrind; a quarter of an hour)"
	@echo "make check     ruff, mypy, and whether README has the figures of the released bundles"
	@echo "make bench     time search, start, calls and training beside the bare libraries; frame to reading; augmentation's share"
	@echo "make size      what the wheel and the base install weigh, package by package"
	@echo "make soak      read 20,000 frames with the page and a viewer: memory, threads and files must stay (ten minutes)"
	@echo "make limits    measure anew where the reader begins to fail: demos/limits/README.md (about ten minutes)"
	@echo "make search    try other architectures than those of cnn and small (about a quarter of an hour)"
	@echo "make ablation  what each transform of the augmentation is worth (about a quarter of an hour)"
	@echo "make release   train the released nets, verify and examine them, rewrite export/ and README's figures (an hour)"
	@echo "make release-seeds  the same for three seeds in the background, and the spread; export/ is left alone"
	@echo "make fixtures  rewrite the small models that the tests use"
	@echo "make wheel     build the wheel in dist/"
	@echo "make clean     remove .venv and everything that was built"

demo: .venv/ready
	$(BIN)/digitedge demo

test: .venv/ready
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile -m 'not slow' $(PYTEST_ARGS)

test-slow: .venv/ready
	$(BIN)/python -m pytest --numprocesses 2 -m slow $(PYTEST_ARGS)

# The wheel, installed as on a device: what its tests cannot import, they must not need.
test-edge:
	rm -rf .venv-edge && $(PYTHON) -m venv .venv-edge
	.venv-edge/bin/pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	.venv-edge/bin/pip install --quiet '.[onnx,web,mqtt]' pytest hypothesis httpx
	@.venv-edge/bin/python -c 'import cv2' 2>/dev/null || { .venv-edge/bin/pip uninstall --quiet --yes opencv-python && .venv-edge/bin/pip install --quiet opencv-python-headless; }
	.venv-edge/bin/pytest tests $(PYTEST_ARGS)

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
	$(BIN)/python tests/performance/published_nets.py
	$(BIN)/python tests/performance/frame_to_reading.py
	$(BIN)/python tests/performance/synthetic_digits.py
	$(BIN)/python tests/performance/training_overhead.py
	$(BIN)/python tests/experiments/augmentation_share.py

size: .venv/ready
	$(BIN)/python tests/performance/size.py

soak: .venv/ready
	$(BIN)/python tests/performance/soak.py

search: .venv/ready
	$(BIN)/python tests/experiments/architectures.py

ablation: .venv/ready
	$(BIN)/python tests/experiments/augmentation_ablation.py

limits: .venv/ready
	$(BIN)/python demos/limits/make.py

release: .venv/ready
	$(BIN)/python export/release.py

release-seeds: .venv/ready
	@mkdir -p runs/release
	nohup $(BIN)/python export/release.py --seeds 3 > runs/release/seeds.log 2>&1 &
	@echo "in the background; runs/release/seeds.log tells how far it is, runs/release/spread.md gets the spread"

fixtures: .venv/ready
	$(BIN)/python tests/fixtures/make_models.py

wheel: .venv/ready
	$(BIN)/pip wheel --quiet --no-deps --wheel-dir dist .
	@ls -l dist

clean:
	rm -rf .venv .venv-edge dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis

.venv/ready: pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "error: $(PYTHON) is missing. Run: sudo apt install python3 python3-venv"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || { echo "error: digitedge needs Python 3.11 to 3.13, got $$($(PYTHON) --version). Run: make PYTHON=python3.12 demo"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "error: the venv module is missing. Run: sudo apt install python3-venv"; exit 1; }
	@echo "setting up .venv (TensorFlow is large: a few minutes)"
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	@$(BIN)/pip install --quiet --editable '.[train,onnx,web,mqtt]' --group dev
	@$(BIN)/python -c 'import cv2' 2>.venv/opencv.log || { \
	  grep -q '\.so' .venv/opencv.log || { cat .venv/opencv.log; exit 1; }; \
	  echo "note: opencv-python cannot start here ($$(tail -n 1 .venv/opencv.log)); using opencv-python-headless, which shows no windows"; \
	  $(BIN)/pip uninstall --quiet --yes opencv-python && $(BIN)/pip install --quiet opencv-python-headless && $(BIN)/python -c 'import cv2'; }
	@touch $@
