"""The ranks of a notebook: one world, quiet output, an end for cells that hang, and nothing left behind."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import psutil
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from jupyter_client.manager import KernelManager
from traitlets.config import PyFileConfigLoader

from rankzero import places, proc
from rankzero.mpi import engines, toolchain

DEADLOCK = textwrap.dedent(
    """
    from mpi4py import MPI
    comm = MPI.COMM_WORLD
    if comm.rank != 2:
        comm.Barrier()
    """
).strip()


@pytest.fixture(scope="module")
def shell():
    yield InteractiveShell.instance()
    InteractiveShell.clear_instance()


@pytest.fixture(scope="module")
def pool(shell):
    """Ranks for the tests that leave them as they are."""
    made = engines.start(4)
    yield made
    made.stop()


@pytest.fixture
def ranks(shell):
    """Ranks for a test that breaks them."""
    made = engines.Ranks(4, toolchain.course())
    shell.register_magics(engines.RankMagics(shell, made))
    yield made
    made.stop()


def px(shell, cell, line=""):
    """Run a %%px cell and return what it printed."""
    with capture_output() as captured:
        shell.run_cell_magic("px", line, cell)
    return captured.stdout


def wait_until(condition, seconds):
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    return condition()


@pytest.mark.smoke
def test_the_world_has_the_size_that_was_asked_for(shell, pool):
    printed = px(shell, "from mpi4py import MPI\nprint(MPI.COMM_WORLD.rank, MPI.COMM_WORLD.size)")
    assert printed == "".join(f"[stdout:{rank}] \n{rank} 4\n" for rank in range(4))
    assert engines.start(4) is pool, "a second call returns the ranks that are there"


def test_output_comes_in_rank_order_each_time(shell, pool):
    cell = "import time\nfrom mpi4py import MPI\nr = MPI.COMM_WORLD.rank\ntime.sleep(0.03 * (3 - r))\nprint(r)"
    assert len({px(shell, cell) for _ in range(3)}) == 1


def test_a_list_sent_the_other_way_round_comes_back_reversed(shell, pool):
    """The answer of the exercise in the first lesson."""
    cell = """
        from mpi4py import MPI
        comm = MPI.COMM_WORLD
        right, left = (comm.rank - 1) % comm.size, (comm.rank + 1) % comm.size
        if comm.rank == 0:
            comm.send([0], dest=right)
            print(comm.recv(source=left))
        else:
            comm.send([*comm.recv(source=left), comm.rank], dest=right)
        """
    assert "[0, 3, 2, 1]" in px(shell, textwrap.dedent(cell))


def test_slow_python_is_interrupted_and_keeps_its_variables(shell, pool, monkeypatch):
    monkeypatch.setattr(engines, "_INTERRUPT_SECONDS", 20)  # this machine may be busy, and timings prove nothing
    with pytest.raises(engines.EnginesError, match="keep their variables") as caught:
        px(shell, "kept = 7\nimport time\ntime.sleep(60)", "--limit 0.5")
    assert not isinstance(caught.value, engines.RanksStuckError)
    assert px(shell, "print(kept)").count("7") == 4


def test_an_error_on_a_rank_is_raised_here(shell, pool):
    with pytest.raises(Exception, match="ZeroDivisionError"):
        px(shell, "1 / 0")


def test_everything_listens_on_loopback(pool):
    owned = psutil.Process(pool._supervisor.pid).children(recursive=True)
    listening = [c.laddr.ip for p in owned for c in p.net_connections("inet") if c.status == psutil.CONN_LISTEN]
    assert listening
    assert set(listening) <= {"127.0.0.1", "::1"}


def test_a_deadlock_ends_with_who_stands_where_and_new_ranks(shell, ranks):
    with pytest.raises(engines.RanksStuckError) as caught:
        px(shell, DEADLOCK, "--limit 1")
    assert set(caught.value.where) == {0, 1, 3}
    assert "3 of 4 ranks did not come back within 1 s" in str(caught.value)
    assert "ranks 0, 1, 3 at line 4: comm.Barrier()" in str(caught.value)
    assert "rank 2       had finished" in str(caught.value)
    assert ranks.running
    assert "1 4" in px(shell, "from mpi4py import MPI\nprint(MPI.COMM_WORLD.rank, MPI.COMM_WORLD.size)")


def test_the_error_of_one_rank_is_told_when_the_others_wait_for_it(shell, ranks):
    with pytest.raises(engines.RanksStuckError, match=r"rank 1 +raised ZeroDivisionError"):
        px(
            shell,
            "from mpi4py import MPI\nif MPI.COMM_WORLD.rank == 1:\n    1 / 0\nMPI.COMM_WORLD.Barrier()",
            "--limit 1",
        )


def test_a_rank_that_dies_is_named_with_its_signal(shell, ranks):
    with pytest.raises(engines.EnginesError, match="rank 1 was killed by SIGSEGV"):
        px(
            shell,
            "import os, signal\nfrom mpi4py import MPI\nif MPI.COMM_WORLD.rank == 1:\n    os.kill(os.getpid(), 11)",
        )
    assert ranks.running


def test_stopped_ranks_say_how_to_have_them_again(shell, ranks):
    ranks.stop()
    with pytest.raises(engines.EnginesError, match="stopped"):
        px(shell, "print(1)")


@pytest.mark.parametrize("state", ["idle", "deadlocked"])
def test_nothing_is_left_five_seconds_after_kill_9_of_the_kernel(tmp_path, state):
    script = tmp_path / "kernel.py"
    script.write_text(
        textwrap.dedent(
            f"""
            import time
            from rankzero.mpi import engines
            ranks = engines.start(4)
            if {state == "deadlocked"}:
                ranks.view.execute({DEADLOCK!r}, block=False)
            print(ranks._supervisor.run_dir.path, flush=True)
            time.sleep(120)
            """
        )
    )
    kernel = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True)
    run_dir = Path(kernel.stdout.readline().strip())
    owned = psutil.Process(kernel.pid).children(recursive=True)
    assert len(owned) >= 6  # reaper, controller with its schedulers, mpirun, ranks
    kernel.send_signal(signal.SIGKILL)
    kernel.wait()
    kernel.stdout.close()
    assert wait_until(lambda: not any(p.is_running() for p in owned) and not run_dir.exists(), 5), owned


def test_nothing_is_left_five_seconds_after_a_restart_of_the_kernel():
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(env=os.environ | places.jupyter_environment())
    client = manager.blocking_client()
    try:
        client.start_channels()
        client.wait_for_ready(timeout=60)
        client.execute_interactive("from rankzero.mpi import engines; engines.start(4)", timeout=60, output_hook=id)
        owned = psutil.Process(manager.provisioner.pid).children(recursive=True)
        assert len(owned) >= 6  # reaper, controller with its schedulers, mpirun, ranks
        client.stop_channels()
        manager.restart_kernel(now=False)
        assert wait_until(lambda: not any(p.is_running() for p in owned), 5), owned
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def test_ranks_of_a_killed_supervisor_are_replaced_and_swept(shell, ranks):
    run_dir = ranks._supervisor.run_dir.path
    owned = psutil.Process(ranks._supervisor.pid).children(recursive=True)
    os.kill(ranks._supervisor.pid, signal.SIGKILL)
    with pytest.raises(engines.EnginesError):
        px(shell, "print(1)")
    assert wait_until(lambda: not any(p.is_running() for p in owned), 5), owned
    assert not run_dir.exists()
    assert "[stdout:3]" in px(shell, "print(1)")


@pytest.mark.smoke
def test_mpicc_mpirun_and_mpi4py_belong_to_one_mpi():
    assert toolchain.preflight() == []


def test_a_launcher_of_another_mpi_is_found_out(tmp_path, monkeypatch):
    other = toolchain.find("MPICH")
    if other is None:
        pytest.skip("no MPICH on this machine: apt.txt names the package")
    (tmp_path / "mpirun").symlink_to(other.mpirun)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert toolchain.course() is None
    assert any("size 1" in problem or "failed" in problem for problem in toolchain.preflight())


@pytest.mark.parametrize("name", ["Open MPI", "MPICH"])
def test_c_examples_are_right_on_both_mpis(name, tmp_path):
    mpi = toolchain.find(name)
    if mpi is None:
        pytest.skip(f"no {name} on this machine: apt.txt names the package")
    program = toolchain.compile_c(places.ROOT / "c_examples/first/pi.c", tmp_path / "pi", mpi=mpi)
    result = proc.run([mpi.mpirun, "-n", "4", program, "1000"], env=os.environ | toolchain.environment())
    assert result.ok, result.tail()
    assert "within the bound" in result.stdout


def test_the_slurm_profile_makes_the_job_script(tmp_path):
    from ipyparallel.cluster.launcher import SlurmEngineSetLauncher

    folder = places.ROOT / "src/rankzero/mpi/slurm_profile"
    config = PyFileConfigLoader("ipcluster_config.py", path=str(folder)).load_config()
    places_it = {"profile_dir": str(tmp_path), "work_dir": str(tmp_path), "cluster_id": ""}
    launcher = SlurmEngineSetLauncher(config=config, engine_cmd=["engine"], **places_it)
    launcher.n = 8
    launcher.write_batch_script(8)
    script = Path(launcher.batch_file).read_text()
    assert "#SBATCH --ntasks=8" in script
    assert "#SBATCH --partition=debug" in script
    assert "srun --mpi=pmix engine --mpi" in script
