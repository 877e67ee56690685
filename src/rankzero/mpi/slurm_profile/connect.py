"""Connect a notebook to ranks that `ipcluster start --profile-dir=slurm_profile` started as a Slurm job."""

# [connect]
import ipyparallel

client = ipyparallel.Client(connection_info="slurm_profile/security/ipcontroller-client.json")
client.wait_for_engines(8, interactive=False)
view = client[:]
view.block = True
view.activate()
# [/connect]
