#!/usr/bin/env bash
# PyTorch's DistributedDataParallel over gloo on the hosts of launch/testbed, in place of distsgd:
#
#   DISTSGD=launch/peers/ddp.sh launch/testbed run 2x1 FOLDER [OPTIONS of mlp_torch.py…]
#
# $PYTHON is python3 if it is not set.
set -euo pipefail
export RANK=$OMPI_COMM_WORLD_RANK WORLD_SIZE=$OMPI_COMM_WORLD_SIZE
export MASTER_ADDR=node01 MASTER_PORT=29500 GLOO_SOCKET_IFNAME=eth0
exec "${PYTHON:-python3}" "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/mlp_torch.py" "$@"
