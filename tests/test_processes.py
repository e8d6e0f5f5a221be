import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from processes import start

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")


@pytest.fixture
def ignored_sigint() -> Iterator[None]:
    """Ignore SIGINT, as a suite that was started in the background does."""
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGINT, handler)


def test_child_gets_sigint_though_the_suite_ignores_it(ignored_sigint: None) -> None:
    # Short sleeps: a signal between Python's check for signals and the system call would be seen after the sleep.
    code = "import time; print('running', flush=True)\nwhile True: time.sleep(0.1)"
    with start([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout.readline() == "running\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == -signal.SIGINT


def test_child_and_its_children_are_killed_when_a_test_fails() -> None:
    reading, writing = os.pipe()
    command = ["sh", "-c", "sleep 60 & echo running; wait"]
    with (
        pytest.raises(ZeroDivisionError),
        start(command, stdout=subprocess.PIPE, pass_fds=[writing], text=True) as process,
    ):
        os.close(writing)
        assert process.stdout.readline() == "running\n"
        raise ZeroDivisionError
    assert process.returncode == -signal.SIGKILL
    started = time.monotonic()
    with os.fdopen(reading) as pipe:
        assert pipe.read() == ""  # returns when no process has the other end
    assert time.monotonic() - started < 30
