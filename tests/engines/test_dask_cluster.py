"""The engine of a Dask cluster, with a scheduler and workers as processes."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import engine_tasks as work
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from dask_processes import Cluster, start_cluster
from engine_tasks import run_tasks, wait_until
from processes import start

from digitedge.engines import DaskCluster, StuckError, dask_worker, open_engine
from digitedge.errors import DigitEdgeError, EngineError, InputError


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster of two worker processes with a thread each, for tests that leave it as it was."""
    with start_cluster(tmp_path_factory.mktemp("cluster")) as cluster:
        cluster.start_workers("--nworkers", "2", "--nthreads", "1")
        yield cluster


@pytest.mark.slow
def test_each_task_comes_back_once_though_workers_are_killed(cluster: Cluster, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with DaskCluster(work.log_and_double, cluster.address) as engine:
        first = run_tasks(engine, [(log, number) for number in range(10)])
        os.kill(int(log.read_text().split()[-1]), signal.SIGKILL)
        outcomes = first + run_tasks(engine, [(log, number) for number in range(10, 100)])
    assert sorted((o.task[1], o.result) for o in outcomes) == [(number, 2 * number) for number in range(100)]


def test_what_a_function_raises_comes_back_with_its_traceback(cluster: Cluster) -> None:
    with open_engine(work.divide_ten, scheduler=cluster.address) as engine:
        by_task = {o.task: o for o in run_tasks(engine, [5, 0])}
    assert by_task[5].result == 2.0
    assert isinstance(by_task[0].error, ZeroDivisionError)
    assert "in divide_ten" in by_task[0].error.__notes__[0]
    assert not by_task[0].deaths


def test_a_function_that_does_harm_fails_alone(cluster: Cluster) -> None:
    with DaskCluster(work.misbehave, cluster.address) as engine:
        kinds = ["exit", "unpicklable error", "unpicklable result", "none"]
        by_task = {o.task: o for o in run_tasks(engine, kinds)}
    assert str(by_task["exit"].error) == "SystemExit: 3"
    assert str(by_task["unpicklable error"].error) == "TwoArguments: one two"
    assert isinstance(by_task["unpicklable result"].error, TypeError)
    assert by_task["none"].result


@pytest.mark.slow
def test_a_task_that_kills_its_workers_is_the_only_one_that_dies(cluster: Cluster) -> None:
    with DaskCluster(work.misbehave, cluster.address) as engine:
        outcomes = run_tasks(engine, [*range(5), "kill", *range(5, 20)])
    assert [(o.task, o.deaths) for o in outcomes if o.deaths] == [("kill", 4)]
    assert {o.task for o in outcomes if o.result} == set(range(20))


def test_a_process_is_prepared_once(cluster: Cluster) -> None:
    with open_engine(work.report_process, scheduler=cluster.address, prepare=work.set_mark) as engine:
        assert {o.result[1] for o in run_tasks(engine, range(8))} == {1}


def test_a_worker_of_another_version_is_named() -> None:
    refused = dask_worker.refuse("0.0.9")
    assert refused is not None and "not digitedge 0.0.9" in refused
    assert dask_worker.refuse(dask_worker.__version__) is None


def test_an_address_that_is_none_is_an_error_at_once() -> None:
    with pytest.raises(EngineError, match=r"expected a Dask scheduler at nowhere, got ValueError: missing port number"):
        DaskCluster(work.double, "nowhere").__enter__()


def test_workers_beside_a_scheduler_are_refused() -> None:
    with pytest.raises(InputError, match="Leave one out"):
        open_engine(work.double, scheduler="tcp://127.0.0.1:1", workers=2)


RUN = """
import sys
from engine_tasks import run_tasks, wait_and_double
from digitedge.engines import DaskCluster
from digitedge.errors import EngineError
try:
    with DaskCluster(wait_and_double, sys.argv[1]) as engine:
        print("connected", flush=True)
        run_tasks(engine, [(0.2, number) for number in range(1000)])
except EngineError as exc:
    sys.exit(f"error: {exc}")
"""


def run_until(cluster: Cluster, number: int) -> tuple[str, float]:
    """Start a long run in a process, end it or its scheduler with a signal, and return its stderr and the seconds."""
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "env": cluster.environment}
    with start([sys.executable, "-c", RUN, cluster.address], **options) as process:
        assert process.stdout is not None and process.stdout.readline() == "connected\n"
        time.sleep(0.5)
        started = time.monotonic()
        (process if number == signal.SIGINT else cluster.scheduler).send_signal(number)
        _, errors = process.communicate(timeout=60)
        return errors, time.monotonic() - started


@pytest.mark.slow
def test_ctrl_c_ends_the_run_at_once_and_not_the_cluster(cluster: Cluster) -> None:
    errors, seconds = run_until(cluster, signal.SIGINT)
    assert errors.endswith("KeyboardInterrupt\n")
    assert errors.count("Traceback") == 1
    assert seconds < 3
    with DaskCluster(work.double, cluster.address) as engine:
        assert run_tasks(engine, [1], limit_s=5)[0].result == 2


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGSTOP], ids=lambda number: number.name)
def test_a_scheduler_that_goes_away_is_one_line(tmp_path: Path, number: signal.Signals) -> None:
    with start_cluster(tmp_path) as cluster:
        cluster.start_workers("--nthreads", "1")
        errors, seconds = run_until(cluster, number)
    assert errors.startswith(f"error: expected the Dask scheduler at {cluster.address} to answer, got ")
    assert errors.count("\n") == 1
    assert seconds < 16


@pytest.mark.slow
def test_submitting_to_a_scheduler_that_is_gone_is_an_error_at_once(tmp_path: Path) -> None:
    with start_cluster(tmp_path) as cluster, DaskCluster(work.double, cluster.address) as engine:
        cluster.scheduler.kill()
        cluster.scheduler.wait()
        time.sleep(0.5)  # the client notices
        with pytest.raises(EngineError, match="to answer, got a closed connection"):
            engine.submit(1)


def make_certificate(folder: Path) -> dict[str, str]:
    """Write a certificate that is its own authority, and return the variables with which Dask takes it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    certificate = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    (folder / "cert.pem").write_bytes(certificate.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM))
    (folder / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()))
    prefix = "DASK_DISTRIBUTED__COMM__TLS__"
    files = {f"{prefix}{role}__CERT": "cert.pem" for role in ("CLIENT", "SCHEDULER", "WORKER")}
    files |= {f"{prefix}{role}__KEY": "key.pem" for role in ("CLIENT", "SCHEDULER", "WORKER")}
    return {key: str(folder / value) for key, value in {f"{prefix}CA_FILE": "cert.pem", **files}.items()}


@pytest.mark.slow
def test_tls_takes_the_certificates_of_dask_s_configuration(tmp_path: Path) -> None:
    variables = make_certificate(tmp_path)
    with start_cluster(tmp_path, DASK_DISTRIBUTED__COMM__DEFAULT_SCHEME="tls", **variables) as cluster:
        assert cluster.address.startswith("tls://")
        cluster.start_workers("--nthreads", "1", **variables)
        environment = {**cluster.environment, **variables}
        command = [sys.executable, "-c", RUN.replace("1000", "3"), cluster.address]
        with_certificate = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
        without = subprocess.run(command, env=cluster.environment, capture_output=True, text=True, timeout=60)
    assert (with_certificate.returncode, with_certificate.stderr) == (0, "")
    assert without.returncode == 1
    assert without.stderr.startswith(
        f"error: expected a Dask scheduler at {cluster.address}, got TypeError: TLS expects"
    )
    assert without.stderr.count("\n") == 1


@pytest.mark.slow
def test_an_absent_scheduler_is_an_error_within_ten_seconds(tmp_path: Path) -> None:
    started = time.monotonic()
    with pytest.raises(EngineError, match=r"expected a Dask scheduler at tcp://127\.0\.0\.1:9, got OSError"):
        DaskCluster(work.double, "tcp://127.0.0.1:9").__enter__()
    assert time.monotonic() - started < 10


@pytest.mark.slow
def test_a_server_that_is_no_scheduler_is_an_error_within_ten_seconds(tmp_path: Path) -> None:
    server = [sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory", tmp_path]
    with start(server, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        port = process.stdout.readline().split()[5]
        with pytest.raises(EngineError, match="expected a Dask scheduler"):
            DaskCluster(work.double, f"tcp://127.0.0.1:{port}").__enter__()


@pytest.mark.slow
def test_a_cluster_without_workers_is_an_error_after_a_note(tmp_path: Path) -> None:
    notes: list[str] = []
    with (
        start_cluster(tmp_path) as cluster,
        DaskCluster(work.double, cluster.address, log=notes.append, workers_timeout_s=5) as engine,
    ):
        assert (engine.workers, engine.free) == (0, 1)
        with pytest.raises(EngineError, match=r"expected workers at tcp://.*, got none in \d s"):
            run_tasks(engine, [1])
    assert len(notes) == 1 and "no workers" in notes[0]


@pytest.mark.slow
def test_workers_that_come_and_go_are_used(tmp_path: Path) -> None:
    with start_cluster(tmp_path) as cluster, DaskCluster(work.double, cluster.address) as engine:
        engine.submit(1)
        workers = cluster.start_workers("--nthreads", "2", "--nworkers", "1")
        wait_until(lambda: bool(engine.wait(1)))
        wait_until(lambda: engine.wait(0) == [] and (engine.workers, engine.free) == (2, 4))
        workers.terminate()
        workers.wait()
        engine.submit(2)
        wait_until(lambda: engine.wait(1) == [] and (engine.workers, engine.free) == (0, 0))
        cluster.start_workers("--nthreads", "1")
        wait_until(lambda: bool(engine.wait(1)))


@pytest.mark.slow
def test_threads_of_a_worker_run_tasks_at_once(tmp_path: Path) -> None:
    with start_cluster(tmp_path) as cluster:
        cluster.start_workers("--nthreads", "2", "--nworkers", "1")
        with open_engine(work.meet_another, scheduler=cluster.address, prepare=work.set_mark) as engine:
            outcomes = run_tasks(engine, range(50))
    assert {o.error for o in outcomes} == {None}
    assert [o.result[1] for o in outcomes] == [1] * 50 and len({o.result for o in outcomes}) == 1


@pytest.mark.slow
@pytest.mark.parametrize("nanny", [True, False], ids=["with a nanny", "without"])
def test_the_process_of_a_stuck_thread_takes_no_more_tasks(tmp_path: Path, nanny: bool) -> None:
    notes: list[str] = []
    with start_cluster(tmp_path) as cluster:
        for _ in range(2):
            cluster.start_workers("--nthreads", "1", *([] if nanny else ["--no-nanny"]))
        with DaskCluster(work.misbehave, cluster.address, log=notes.append) as engine:
            wait_until(lambda: engine.wait(1) == [] and engine.workers == 2)
            stuck = run_tasks(engine, ["stuck"])[0]
            assert isinstance(stuck.error, StuckError)
            after = {o.result for o in run_tasks(engine, range(20))}
            assert not after & {None, int(str(stuck.error).split()[-1])}
            assert len(notes) == (0 if nanny else 1)


@pytest.mark.slow
@pytest.mark.parametrize("where", ["dask_scheduler", "dask_worker"])
def test_a_cluster_without_digitedge_is_one_line(tmp_path: Path, where: str) -> None:
    (tmp_path / "digitedge").mkdir()
    (tmp_path / "digitedge" / "__init__.py").write_text("raise ModuleNotFoundError(\"No module named 'digitedge'\")")
    without = {"PYTHONPATH": str(tmp_path)}
    with start_cluster(tmp_path, **(without if where == "dask_scheduler" else {})) as cluster:
        cluster.start_workers("--nthreads", "1", **(without if where == "dask_worker" else {}))
        message = r"expected a cluster that can run digitedge, got .*No module named 'digitedge'"
        with DaskCluster(work.double, cluster.address) as engine, pytest.raises(EngineError, match=message) as info:
            run_tasks(engine, [1])
    assert "\n" not in str(info.value)


@pytest.mark.slow
def test_a_worker_that_cannot_find_the_function_is_one_line(tmp_path: Path) -> None:
    with start_cluster(tmp_path) as cluster:
        cluster.start_workers("--nthreads", "1", PYTHONPATH=cluster.environment["PYTHONPATH"].split(os.pathsep)[0])
        message = r"got tcp://.*: ModuleNotFoundError: No module named 'engine_tasks'"
        with DaskCluster(work.double, cluster.address) as engine, pytest.raises(DigitEdgeError, match=message):
            run_tasks(engine, [1])
