"""Writes goldens.json: what PyTorch computes where the tests let distsgd compute the same.

    pip install torch numpy; python make_goldens.py

Each case is a small data set, initial weights, and plain SGD over sequential batches of 16 of 50 examples:
four steps an epoch, the last of 2 examples, five epochs. PyTorch computes in float32 on one thread; its
loss is the mean over the batch's examples before the update. `float64Difference` is how far the same job
in float64 ends from that: the part of any disagreement that is float32's own.

Matrices are flat lists, row-major; weights are [out, in] as in nn.Linear. Numbers are the shortest
decimals that read back as the same float32.
"""

import json
import pathlib

import numpy as np
import torch
from torch import nn

EXAMPLES, BATCH, STEPS, LEARNING_RATE = 50, 16, 20, 0.1

CASES = [
    # name, model, activation, layer widths, loss
    ("linear", "linear", None, [5, 1], "squared"),
    ("relu", "mlp:8,7", "relu", [6, 8, 7, 4], "cross-entropy"),
    ("tanh", "mlp:8", "tanh", [6, 8, 3], "cross-entropy"),
    ("sigmoid", "mlp:8", "sigmoid", [6, 8, 1], "squared"),
]

ACTIVATIONS = {"relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid}


def sequential(widths, activation):
    """Dense layers of these widths with the activation between them."""
    layers = []
    for inputs, outputs in zip(widths, widths[1:]):
        if layers:
            layers.append(ACTIVATIONS[activation]())
        layers.append(nn.Linear(inputs, outputs))
    return nn.Sequential(*layers)


def mean_loss(model, loss, features, targets):
    """The mean over the examples of ½(ŷ − y)² or of the softmax cross-entropy."""
    output = model(features)
    if loss == "squared":
        return 0.5 * nn.functional.mse_loss(output.squeeze(1), targets)
    return nn.functional.cross_entropy(output, targets)


def train(model, loss, features, targets):
    """The losses before each update, and the gradient of the first step; `model` is changed."""
    optimizer = torch.optim.SGD(model.parameters(), lr=LEARNING_RATE)
    losses, first_gradient = [], None
    start = 0
    for _ in range(STEPS):
        end = min(start + BATCH, EXAMPLES)
        optimizer.zero_grad()
        value = mean_loss(model, loss, features[start:end], targets[start:end])
        value.backward()
        losses.append(value.detach())
        if first_gradient is None:
            first_gradient = {name: p.grad.clone() for name, p in model.named_parameters()}
        optimizer.step()
        start = 0 if end == EXAMPLES else end
    return torch.stack(losses), first_gradient


def numbers(tensor):
    """A flat list; `str` of a NumPy float32 is its shortest decimal."""
    array = tensor.detach().numpy().ravel()
    return [float(str(x)) for x in array] if array.dtype == np.float32 else array.tolist()


def named(tensors):
    return {name: {"shape": list(t.shape), "values": numbers(t)} for name, t in tensors.items()}


def copied(model):
    return {name: p.detach().clone() for name, p in model.state_dict().items()}


def make_case(name, model_name, activation, widths, loss):
    generator = torch.Generator().manual_seed(len(name))
    features = torch.randn(EXAMPLES, widths[0], generator=generator)
    direction = torch.randn(widths[0], generator=generator)
    if loss == "squared":
        noise = torch.randn(EXAMPLES, generator=generator)
        targets = torch.sin(features @ direction) + 0.1 * noise
    else:
        targets = torch.randint(widths[-1], (EXAMPLES,), generator=generator)

    torch.manual_seed(1)
    model = sequential(widths, activation)
    initial = copied(model)
    losses, first_gradient = train(model, loss, features, targets)

    # The same from the same float32 numbers in float64.
    exact = sequential(widths, activation).double()
    exact.load_state_dict({key: p.double() for key, p in initial.items()})
    exact_targets = targets.double() if loss == "squared" else targets
    exact_losses, _ = train(exact, loss, features.double(), exact_targets)
    differences = [((losses - exact_losses) / exact_losses).abs().max()] + [
        ((p - q).abs().max() / q.abs().max()).detach() for p, q in zip(model.parameters(), exact.parameters())
    ]

    case = {
        "name": name,
        "model": model_name,
        "loss": loss,
        "examples": EXAMPLES,
        "inputs": widths[0],
        "outputs": widths[-1],
        "batch": BATCH,
        "steps": STEPS,
        "learningRate": LEARNING_RATE,
        "float64Difference": max(differences).item(),
        "features": numbers(features),
        "targets" if loss == "squared" else "labels": numbers(targets),
        "initial": named(initial),
        "firstGradient": named(first_gradient),
        "losses": numbers(losses),
        "final": named(copied(model)),
    }
    if activation:
        case["activation"] = activation
    return case


def main():
    torch.set_num_threads(1)
    cases = [make_case(*case) for case in CASES]
    document = {"torch": torch.__version__.split("+")[0], "cases": cases}
    # A line for every field of a case, so that a change can be read in a diff.
    fields = [
        ",\n".join(f"  {json.dumps(k)}: {json.dumps(v, separators=(',', ':'))}" for k, v in case.items())
        for case in cases
    ]
    text = f'{{"torch": {json.dumps(document["torch"])}, "cases": [\n{{\n' + "\n},\n{\n".join(fields) + "\n}\n]}\n"
    assert json.loads(text) == document
    path = pathlib.Path(__file__).with_name("goldens.json")
    path.write_text(text)
    for case in cases:
        print(f"{case['name']}: float32 differs from float64 by {case['float64Difference']:.1e}, "
              f"loss {case['losses'][0]:.4f} to {case['losses'][-1]:.4f}")
    print(f"{path}: {len(text)} bytes")


if __name__ == "__main__":
    main()
