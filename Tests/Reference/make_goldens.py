"""Writes goldens.json: what PyTorch computes where the tests let distsgd compute the same.

    pip install torch numpy; python make_goldens.py

Each case is a small data set, initial weights, and an optimizer over sequential batches of 16 of 50 examples:
four steps an epoch, the last of 2 examples. PyTorch computes in float32 on one thread; its loss is the mean
over the batch's examples before the update. `float64Difference` is how far the same job in float64 ends from
that: the part of any disagreement that is float32's own.

Matrices are flat lists, row-major; weights are [out, in] as in nn.Linear. Numbers are the shortest
decimals that read back as the same float32.
"""

import json
import pathlib
import re

import numpy as np
import torch
from torch import nn

EXAMPLES, BATCH = 50, 16

# Models, losses and optimizers are distsgd's own words; the layers are those of the model, written out.
CASES = [
    # name, model, activation, layers, inputs and outputs, loss, optimizer, η, steps
    ("linear", "linear", None, "dense", (5, 1), "squared", "sgd", 0.1, 20),
    ("relu", "mlp:8,7", "relu", "dense:8 relu dense:7 relu dense", (6, 4), "cross-entropy", "sgd", 0.1, 20),
    ("tanh", "mlp:8", "tanh", "dense:8 tanh dense", (6, 3), "cross-entropy", "sgd", 0.1, 20),
    ("sigmoid", "mlp:8", "sigmoid", "dense:8 sigmoid dense", (6, 1), "squared", "sgd", 0.1, 20),
] + [
    (name, layers, None, layers, widths, loss, optimizer, rate, 50)
    for name, layers, widths, loss, optimizer, rate in [
        ("heavy ball", "dense:8 tanh dense", (6, 1), "squared", "sgd:momentum=0.9", 0.05),
        ("nesterov", "dense:8 tanh dense", (6, 3), "cross-entropy", "sgd:momentum=0.9,nesterov", 0.05),
        ("weight decay", "dense:8 sigmoid dense", (6, 3), "cross-entropy", "sgd:weight-decay=0.05", 0.1),
        ("momentum and decay", "dense", (5, 1), "squared", "sgd:momentum=0.9,weight-decay=0.05", 0.05),
        ("adam", "dense:8 tanh dense", (6, 1), "squared", "adam", 0.01),
        ("adam, coefficients", "dense:8 tanh dense", (6, 3), "cross-entropy",
         "adam:beta1=0.8,beta2=0.99,epsilon=0.001,weight-decay=0.1", 0.02),
        ("adamw", "dense:8 tanh dense", (6, 3), "cross-entropy", "adamw", 0.01),
        ("adamw, decay", "dense:8 gelu dense", (6, 1), "squared", "adamw:weight-decay=0.3", 0.01),
        ("gelu", "dense:8 gelu dense:7 gelu dense", (6, 3), "cross-entropy", "sgd", 0.1),
        ("residual", "dense:8 residual(dense:8 tanh dense:8) gelu dense", (6, 3), "cross-entropy", "sgd", 0.1),
        ("residual with adam", "dense:8 residual(dense:8 tanh dense:8) gelu dense", (6, 1), "squared", "adam", 0.01),
        ("huber", "dense:8 tanh dense", (6, 1), "huber:delta=1", "sgd", 0.1),
        ("small huber", "dense:8 tanh dense", (6, 1), "huber:delta=0.3", "sgd:momentum=0.9", 0.05),
        ("binary", "dense:8 tanh dense", (6, 1), "binary-cross-entropy", "sgd", 0.1),
        ("logistic", "dense", (5, 1), "binary-cross-entropy", "adam", 0.01),
    ]
]

ACTIVATIONS = {"relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid, "gelu": nn.GELU}


class Residual(nn.Sequential):
    """x + f(x), f its layers."""

    def forward(self, x):
        return x + super().forward(x)


def layers(text, inputs, outputs):
    """The modules of a text of layers, and how many numbers come out; a `dense` without a number makes `outputs`."""
    modules = []
    for word in re.findall(r"residual\([^)]*\)|\S+", text):
        if word.startswith("residual("):
            modules.append(Residual(*layers(word[9:-1], inputs, outputs)))
        elif word.startswith("dense"):
            width = int(word.partition(":")[2] or outputs)
            modules.append(nn.Linear(inputs, width))
            inputs = width
        else:
            modules.append(ACTIVATIONS[word]())
    return modules


def has_values(loss):
    """Whether the targets are numbers, not classes."""
    return loss == "squared" or loss.startswith("huber")


def mean_loss(model, loss, features, targets):
    """The mean over the examples of ½(ŷ − y)², Huber's loss, or a cross-entropy."""
    output = model(features)
    if loss == "squared":
        return 0.5 * nn.functional.mse_loss(output.squeeze(1), targets)
    if loss.startswith("huber"):
        return nn.HuberLoss(delta=float(loss.partition("=")[2]))(output.squeeze(1), targets)
    if loss == "binary-cross-entropy":
        return nn.BCEWithLogitsLoss()(output.squeeze(1), targets.to(output.dtype))
    return nn.functional.cross_entropy(output, targets)


def make_optimizer(text, parameters, rate):
    """PyTorch's optimizer of distsgd's word."""
    name, _, arguments = text.partition(":")
    given = dict(argument.partition("=")[::2] for argument in arguments.split(",") if argument)
    number = {key: float(value) for key, value in given.items() if value}
    decay = {"weight_decay": number["weight-decay"]} if "weight-decay" in number else {}
    if name == "sgd":
        return torch.optim.SGD(
            parameters, lr=rate, momentum=number.get("momentum", 0), nesterov="nesterov" in given, **decay)
    return {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[name](
        parameters, lr=rate, betas=(number.get("beta1", 0.9), number.get("beta2", 0.999)),
        eps=number.get("epsilon", 1e-8), **decay)


def train(model, loss, optimizer, rate, steps, features, targets):
    """The losses before each update, and the gradient of the first step; `model` is changed."""
    optimizer = make_optimizer(optimizer, model.parameters(), rate)
    losses, first_gradient = [], None
    start = 0
    for _ in range(steps):
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


def make_case(name, model_name, activation, text, widths, loss, optimizer, rate, steps):
    inputs, outputs = widths
    generator = torch.Generator().manual_seed(len(name))
    features = torch.randn(EXAMPLES, inputs, generator=generator)
    direction = torch.randn(inputs, generator=generator)
    if has_values(loss):
        noise = torch.randn(EXAMPLES, generator=generator)
        targets = torch.sin(features @ direction) + 0.1 * noise
    else:
        targets = torch.randint(max(2, outputs), (EXAMPLES,), generator=generator)

    torch.manual_seed(1)
    model = nn.Sequential(*layers(text, inputs, outputs))
    initial = copied(model)
    losses, first_gradient = train(model, loss, optimizer, rate, steps, features, targets)

    # The same from the same float32 numbers in float64.
    exact = nn.Sequential(*layers(text, inputs, outputs)).double()
    exact.load_state_dict({key: p.double() for key, p in initial.items()})
    exact_targets = targets.double() if has_values(loss) else targets
    exact_losses, _ = train(exact, loss, optimizer, rate, steps, features.double(), exact_targets)
    differences = [((losses - exact_losses) / exact_losses).abs().max()] + [
        ((p - q).abs().max() / q.abs().max()).detach() for p, q in zip(model.parameters(), exact.parameters())
    ]

    case = {
        "name": name,
        "model": model_name,
        "loss": loss,
        "examples": EXAMPLES,
        "inputs": inputs,
        "outputs": outputs,
        "batch": BATCH,
        "steps": steps,
        "learningRate": rate,
        "float64Difference": max(differences).item(),
        "features": numbers(features),
        "targets" if has_values(loss) else "labels": numbers(targets),
        "initial": named(initial),
        "firstGradient": named(first_gradient),
        "losses": numbers(losses),
        "final": named(copied(model)),
    }
    if activation:
        case["activation"] = activation
    if optimizer != "sgd":
        case["optimizer"] = optimizer
    return case


def write(cases, name):
    """Writes cases to the file `name` beside this one: a line for every field, so that a change can be read in a diff."""
    document = {"torch": torch.__version__.split("+")[0], "cases": cases}
    fields = [
        ",\n".join(f"  {json.dumps(k)}: {json.dumps(v, separators=(',', ':'))}" for k, v in case.items())
        for case in cases
    ]
    text = f'{{"torch": {json.dumps(document["torch"])}, "cases": [\n{{\n' + "\n},\n{\n".join(fields) + "\n}\n]}\n"
    assert json.loads(text) == document
    path = pathlib.Path(__file__).with_name(name)
    path.write_text(text)
    for case in cases:
        print(f"{case['name']}: float32 differs from float64 by {case['float64Difference']:.1e}, "
              f"loss {case['losses'][0]:.4f} to {case['losses'][-1]:.4f}")
    print(f"{path}: {len(text)} bytes")


if __name__ == "__main__":
    torch.set_num_threads(1)
    write([make_case(*case) for case in CASES], "goldens.json")
