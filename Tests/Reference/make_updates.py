"""Writes updates.json: what optimizers, clipping and exemptions from decay make of a small job, step by step; and
the factors of schedules.

    pip install torch numpy; python make_updates.py

The jobs are as in make_goldens.py. PyTorch updates where it has the optimizer. It has neither LARS nor LAMB: there the
gradient is PyTorch's in float64, and the update is written below, in NumPy and float64, as in the papers.
"""

import json
import pathlib

import numpy as np
import torch
from torch import nn

import make_goldens as base

BATCH, EXAMPLES, STEPS = base.BATCH, base.EXAMPLES, 50

# name, layers, inputs and outputs, loss, optimizer, η, and of "clipNorm", "clipValue", "noDecayFor" what there is.
CASES = [
    ("adagrad", "dense:8 tanh dense", (6, 1), "squared", "adagrad", 0.05, {}),
    ("adagrad, decays", "dense:8 tanh dense", (6, 3), "cross-entropy",
     "adagrad:epsilon=0.001,rate-decay=0.02,weight-decay=0.05", 0.1, {}),
    ("rmsprop", "dense:8 tanh dense", (6, 1), "squared", "rmsprop", 0.005, {}),
    ("rmsprop, momentum", "dense:8 tanh dense", (6, 3), "cross-entropy",
     "rmsprop:alpha=0.9,momentum=0.8,weight-decay=0.02", 0.002, {}),
    ("rmsprop, centered", "dense:8 tanh dense", (6, 3), "cross-entropy", "rmsprop:centered,epsilon=0.001", 0.005, {}),
    ("rmsprop, all of it", "dense:8 tanh dense", (6, 1), "squared",
     "rmsprop:centered,momentum=0.5,epsilon=0.01,weight-decay=0.01", 0.005, {}),
    ("adadelta", "dense:8 tanh dense", (6, 3), "cross-entropy", "adadelta", 1.0, {}),
    ("adadelta, decay", "dense:8 tanh dense", (6, 1), "squared",
     "adadelta:rho=0.8,epsilon=0.0001,weight-decay=0.05", 0.5, {}),
    ("lars", "dense:8 tanh dense", (6, 3), "cross-entropy", "lars", 20.0, {}),
    ("lars, decay", "dense:8 tanh dense:7 tanh dense", (6, 1), "squared",
     "lars:momentum=0.8,trust=0.02,weight-decay=0.05", 1.0, {}),
    ("lars, weights alone", "dense:8 tanh dense", (6, 3), "cross-entropy", "lars:trust=0.02,weight-decay=0.1", 0.5,
     {"noDecayFor": ["bias"]}),
    ("lamb", "dense:8 tanh dense", (6, 3), "cross-entropy", "lamb", 0.02, {}),
    ("lamb, coefficients", "dense:8 tanh dense:7 tanh dense", (6, 1), "squared",
     "lamb:beta1=0.8,beta2=0.99,epsilon=0.001,weight-decay=0.1", 0.02, {"clipNorm": 0.5}),
    ("lamb, weights alone", "dense:8 tanh dense", (6, 3), "cross-entropy", "lamb:weight-decay=0.2", 0.01,
     {"noDecayFor": ["bias"]}),
    ("momentum, clipped", "dense:8 tanh dense", (6, 3), "cross-entropy", "sgd:momentum=0.9", 0.1, {"clipNorm": 0.2}),
    ("adam, decay, clipped", "dense:8 tanh dense", (6, 3), "cross-entropy", "adam:weight-decay=0.01", 0.01,
     {"clipNorm": 0.1}),
    ("seldom clipped", "dense:8 tanh dense", (6, 1), "squared", "sgd", 0.1, {"clipNorm": 0.4}),
    ("values clipped", "dense:8 tanh dense", (6, 1), "squared", "sgd:momentum=0.9", 0.05, {"clipValue": 0.05}),
    ("decay for weights alone", "dense:8 tanh dense", (6, 3), "cross-entropy", "sgd:momentum=0.9,weight-decay=0.1",
     0.05, {"noDecayFor": ["bias", "norm"]}),
    ("adamw, weights alone", "dense:8 tanh dense", (6, 1), "squared", "adamw:weight-decay=0.3", 0.01,
     {"noDecayFor": ["bias"]}),
]


class LARS:
    """You, Gitman & Ginsburg 2017, algorithm 1."""

    def __init__(self, groups, rate, momentum=0.9, trust=0.001, weight_decay=0.0):
        self.groups, self.rate, self.momentum, self.trust, self.decay = groups, rate, momentum, trust, weight_decay
        self.buffers = {}

    def step(self):
        for group in self.groups:
            for p in group["params"]:
                w, g = p.detach().numpy(), p.grad.numpy()
                decay, local = 0.0, 1.0
                if not group["exempt"]:
                    decay = self.decay
                    local = self.trust * np.linalg.norm(w) / (np.linalg.norm(g) + decay * np.linalg.norm(w))
                m = self.momentum * self.buffers.get(p, 0) + self.rate * local * (g + decay * w)
                self.buffers[p] = m
                w -= m


class LAMB:
    """You et al. 2020, algorithm 2, with the identity for φ."""

    def __init__(self, groups, rate, beta1=0.9, beta2=0.999, epsilon=1e-6, weight_decay=0.01):
        self.groups, self.rate, self.betas, self.epsilon, self.decay = groups, rate, (beta1, beta2), epsilon, weight_decay
        self.moments, self.t = {}, 0

    def step(self):
        self.t += 1
        b1, b2 = self.betas
        for group in self.groups:
            for p in group["params"]:
                w, g = p.detach().numpy(), p.grad.numpy()
                m, v = self.moments.get(p, (0, 0))
                m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g * g
                self.moments[p] = m, v
                r = m / (1 - b1**self.t) / (np.sqrt(v / (1 - b2**self.t)) + self.epsilon)
                u, ratio = r, 1.0
                if not group["exempt"]:
                    u = r + self.decay * w
                    ratio = np.linalg.norm(w) / np.linalg.norm(u)
                w -= self.rate * ratio * u


def make_optimizer(text, model, rate, exempt):
    """The optimizer of distsgd's word; tensors that are exempt are a group without decay."""
    name, _, arguments = text.partition(":")
    given = dict(argument.partition("=")[::2] for argument in arguments.split(",") if argument)
    number = {key.replace("-", "_"): float(value) for key, value in given.items() if value}
    named = list(model.named_parameters())
    groups = [
        {"params": [p for n, p in named if not ("bias" in exempt and n.endswith("bias"))], "exempt": False},
        {"params": [p for n, p in named if "bias" in exempt and n.endswith("bias")], "exempt": True},
    ]
    groups = [group for group in groups if group["params"]]
    if name in ("lars", "lamb"):
        return {"lars": LARS, "lamb": LAMB}[name](groups, rate, **number)
    if "epsilon" in number:
        number["eps"] = number.pop("epsilon")
    if "rate_decay" in number:
        number["lr_decay"] = number.pop("rate_decay")
    if "beta1" in number or "beta2" in number:
        number["betas"] = (number.pop("beta1", 0.9), number.pop("beta2", 0.999))
    flags = {key: True for key, value in given.items() if not value}
    for group in groups:
        if group.pop("exempt"):
            group["weight_decay"] = 0.0
    kind = {"sgd": torch.optim.SGD, "adagrad": torch.optim.Adagrad, "rmsprop": torch.optim.RMSprop,
            "adadelta": torch.optim.Adadelta, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[name]
    return kind(groups, lr=rate, **number, **flags)


def train(model, loss, optimizer, rate, extra, features, targets):
    """The losses before each update, and the gradients' norms before they are clipped; `model` is changed."""
    optimizer = make_optimizer(optimizer, model, rate, extra.get("noDecayFor", []))
    losses, norms = [], []
    start = 0
    for _ in range(STEPS):
        end = min(start + BATCH, EXAMPLES)
        for p in model.parameters():
            p.grad = None
        value = base.mean_loss(model, loss, features[start:end], targets[start:end])
        value.backward()
        losses.append(value.detach())
        limit = extra.get("clipNorm", float("inf"))
        norms.append(nn.utils.clip_grad_norm_(model.parameters(), limit))
        if "clipValue" in extra:
            nn.utils.clip_grad_value_(model.parameters(), extra["clipValue"])
        optimizer.step()
        start = 0 if end == EXAMPLES else end
    return torch.stack(losses), torch.stack(norms)


def make_case(name, text, widths, loss, optimizer, rate, extra):
    inputs, outputs = widths
    generator = torch.Generator().manual_seed(len(name))
    features = torch.randn(EXAMPLES, inputs, generator=generator)
    direction = torch.randn(inputs, generator=generator)
    if base.has_values(loss):
        targets = torch.sin(features @ direction) + 0.1 * torch.randn(EXAMPLES, generator=generator)
    else:
        targets = torch.randint(max(2, outputs), (EXAMPLES,), generator=generator)
    torch.manual_seed(1)
    single = nn.Sequential(*base.layers(text, inputs, outputs))
    initial = base.copied(single)
    exact = nn.Sequential(*base.layers(text, inputs, outputs)).double()
    exact.load_state_dict({key: p.double() for key, p in initial.items()})
    losses, norms = train(
        exact, loss, optimizer, rate, extra, features.double(),
        targets.double() if base.has_values(loss) else targets)
    difference = 0.0
    if not optimizer.startswith(("lars", "lamb")):
        single_losses, _ = train(single, loss, optimizer, rate, extra, features, targets)
        difference = max(
            [((single_losses - losses) / losses).abs().max().item()]
            + [((p - q).abs().max() / q.abs().max()).item() for p, q in zip(single.parameters(), exact.parameters())])
    return {
        "name": name, "model": text, "loss": loss, "optimizer": optimizer, "examples": EXAMPLES, "inputs": inputs,
        "outputs": outputs, "batch": BATCH, "steps": STEPS, "learningRate": rate, **extra,
        "float32Difference": difference, "features": base.numbers(features),
        "targets" if base.has_values(loss) else "labels": base.numbers(targets),
        "initial": base.named(initial), "losses": base.numbers(losses), "norms": base.numbers(norms),
        "final": base.named(base.copied(exact)),
    }


def factors_of(make, total):
    """What a scheduler of PyTorch makes of a learning rate of 1."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler = make(optimizer)
    result = []
    for _ in range(total):
        result.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if len(result) < total:
            scheduler.step()
    return result


def warmed(factors, steps, start=0.0):
    """A straight line to what the schedule has behind it."""
    return [start * factors[steps] + (1 - start) * factors[steps] * t / steps if t < steps else f
            for t, f in enumerate(factors)]


def schedules():
    lr = torch.optim.lr_scheduler
    cosine = factors_of(lambda o: lr.LambdaLR(o, lambda t: 0.1 + 0.45 * (1 + np.cos(np.pi * t / 60))), 60)
    constant, inverse = [1.0] * 60, [np.sqrt(15 / max(t, 15)) for t in range(60)]
    made = [
        ("constant", constant),
        ("constant|3epochs", warmed(constant, 30)),
        ("constant|7,from=0.25", warmed(constant, 7, 0.25)),
        ("step:every=2epochs,factor=0.5", factors_of(lambda o: lr.StepLR(o, 20, 0.5), 60)),
        ("step:every=7,factor=0.1|20", warmed(factors_of(lambda o: lr.StepLR(o, 7, 0.1), 60), 20)),
        ("exponential:every=1,factor=0.9", factors_of(lambda o: lr.ExponentialLR(o, 0.9), 60)),
        ("exponential:factor=0.5", [0.5 ** (t / 10) for t in range(60)]),
        ("exponential:every=3,factor=1.5", [1.5 ** (t / 3) for t in range(60)]),
        ("polynomial", factors_of(lambda o: lr.PolynomialLR(o, 60, 1.0), 60)),
        ("polynomial:power=2", factors_of(lambda o: lr.PolynomialLR(o, 60, 2.0), 60)),
        ("polynomial:power=0.5,floor=0.2", [0.2 + 0.8 * (1 - t / 60) ** 0.5 for t in range(60)]),
        ("cosine", factors_of(lambda o: lr.CosineAnnealingLR(o, 60), 60)),
        ("cosine:floor=0.1", cosine),
        ("cosine:floor=0.1|2epochs", warmed(cosine, 20)),
        ("one-cycle", factors_of(lambda o: lr.OneCycleLR(o, 1.0, total_steps=61), 61)[:61]),
        ("one-cycle:rise=0.25,divisor=10,final-divisor=100", factors_of(
            lambda o: lr.OneCycleLR(o, 1.0, total_steps=61, pct_start=0.25, div_factor=10, final_div_factor=100), 61)),
        ("inverse-sqrt:after=15", inverse),
        ("inverse-sqrt|15", warmed(inverse, 15)),
        ("cosine:floor=0.1 step:every=2epochs,factor=0.5", [c * 0.5 ** (t // 20) for t, c in enumerate(cosine)]),
    ]
    return [{"word": w, "stepsPerEpoch": 10, "totalSteps": len(f), "factors": [float(x) for x in f]} for w, f in made]


def main():
    torch.set_num_threads(1)
    cases = [make_case(*case) for case in CASES]
    fields = [
        ",\n".join(f"  {json.dumps(k)}: {json.dumps(v, separators=(',', ':'))}" for k, v in case.items())
        for case in cases
    ]
    text = f'{{"torch": "{torch.__version__.split("+")[0]}", "cases": [\n{{\n' + "\n},\n{\n".join(fields) + "\n}\n],\n"
    text += '"schedules": [\n' + ",\n".join(json.dumps(s, separators=(",", ":")) for s in schedules()) + "\n]}\n"
    json.loads(text)
    path = pathlib.Path(__file__).with_name("updates.json")
    path.write_text(text)
    for case in cases:
        clipped = sum(n > case.get("clipNorm", float("inf")) for n in case["norms"])
        print(f"{case['name']}: PyTorch's float32 differs by {case['float32Difference']:.1e}, "
              f"loss {case['losses'][0]:.4f} to {case['losses'][-1]:.4f}, clipped {clipped}")
    print(f"{path}: {len(text)} bytes")


if __name__ == "__main__":
    main()
