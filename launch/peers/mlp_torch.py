"""A training step in PyTorch: python mlp_torch.py FOLDER [OPTIONS], or, with DistributedDataParallel over gloo,
python -m torch.distributed.run --nproc_per_node P mlp_torch.py FOLDER [OPTIONS].
"""

from torch import nn

import torch_training


def mlp(options):
    stages = []
    for inputs, outputs in zip(options.dims, options.dims[1:]):
        stages += [nn.Linear(inputs, outputs), nn.ReLU()]
    return nn.Sequential(*stages[:-1])


torch_training.train(mlp)
