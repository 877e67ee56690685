# Ranks of a notebook as a Slurm job, by ipyparallel's own launcher. Copy this folder to a place that all nodes see,
# put your partition and time limit in, and start it where the notebook runs (see chapters/00_start_here.md):
#
#   ipcluster start --profile-dir=slurm_profile --n=8
#
# ruff: noqa: D100, F821
c = get_config()  # type: ignore[name-defined]

# [slurm]
c.Cluster.engine_launcher_class = "slurm"
c.Cluster.controller_ip = "*"  # engines on other nodes must reach the controller: every message is signed
c.SlurmLauncher.queue = "debug"
c.SlurmLauncher.timelimit = "0:30:00"
c.SlurmEngineSetLauncher.batch_template = """#!/bin/sh
#SBATCH --job-name=rankzero-engines
#SBATCH --partition={queue}
#SBATCH --time={timelimit}
#SBATCH --ntasks={n}
#SBATCH --output=engines-%j.log
srun --mpi=pmix {program_and_args} --mpi
"""
# [/slurm]
