"""PyTorch's side of the comparison (bench/compare/torch.c speaks to it): one thread, one process.

It greets with its version. Then, a request and a reply a line:

    open CASE FOLDER INPUTS WRT SIZES    ready; inputs are the files FOLDER/NAME.npy
    value N, gradient N                  processor seconds of N runs; gradient gives the value too
    result FOLDER                        ready; value.npy and the gradient's dNAME.npy are there

Words are separated by tabs, names by commas; "refused WHY" answers what cannot be done. Each
function is written as its users write it who care for speed: one expression of tensors, the
gradient by autograd, the value without recording.
"""

import math
import os
import sys
import time

import numpy
import torch
from torch.nn.functional import cross_entropy, relu


def chain(x):
    return torch.sin(torch.exp(torch.tanh(x)) * torch.log1p(x * x)).sum()


def logsumexp(x):
    return torch.logsumexp(x, 0)


def polynomial_data(c, t, s):
    """The points are constants: their powers are set up once."""
    return {"c": c, "V": t[:, None] ** torch.arange(len(c)), "s": s}


def polynomial(c, V, s):
    r = s - V @ c
    return 0.5 * (r @ r)


def mixture(alpha, mu, q, l, x, place, gamma, m):
    (n, d), k = x.shape, len(alpha)
    scale = torch.exp(q)
    entries = torch.cat((scale, l, torch.zeros(k, 1, dtype=l.dtype)), 1)
    Q = entries[:, place.flatten()].view(k, d, d)
    z = (x[None] - mu[:, None]) @ Q.transpose(1, 2)
    beta = (alpha + q.sum(1))[:, None] - 0.5 * (z * z).sum(2)
    prior = gamma**2 / 2 * ((scale * scale).sum() + (l * l).sum()) - m * q.sum()
    constant = d / 2 * math.log(2 * math.pi)
    return torch.logsumexp(beta, 0).sum() - n * (torch.logsumexp(alpha, 0) + constant) - prior


def network(*p):
    *p, h, label = p
    for i in range(0, len(p) - 2, 2):
        h = relu(torch.addmm(p[i + 1], h, p[i]))
    return cross_entropy(torch.addmm(p[-1], h, p[-2]), label)


def pendulum(steps, a, v, k, c, b):
    y, h = 0, 0.001
    for _ in range(steps):
        v = v - h * (k * torch.sin(a) + c * v)
        a = a + h * v
        y = y + (a - b) ** 2
    return y


CASES = {
    "chain": chain,
    "logsumexp": logsumexp,
    "polynomial": polynomial,
    "mixture": mixture,
    "cross-entropy": cross_entropy,
    "network": network,
    "deep network": network,
    "pendulum": pendulum,
}


class Problem:
    def __init__(self, case, folder, inputs, wrt, sizes):
        load = lambda name: torch.from_numpy(numpy.load(os.path.join(folder, name + ".npy")))
        given = {name: load(name) for name in inputs}
        for name in wrt:
            given[name].requires_grad_()
        self.wrt = [given[name] for name in wrt]
        self.names, self.function = wrt, CASES[case]
        if case == "polynomial":
            given = polynomial_data(**given)
        if case == "pendulum":
            given["steps"] = int(sizes.split("=")[1])
            given = {name: given[name] for name in ("steps", *inputs)}
        self.arguments = list(given.values())
        self.result = None

    def value(self):
        with torch.no_grad():
            self.result = self.function(*self.arguments), ()

    def gradient(self):
        y = self.function(*self.arguments)
        self.result = y, torch.autograd.grad(y, self.wrt)

    def run(self, work, repeat):
        start = time.process_time()
        for _ in range(repeat):
            work()
        return time.process_time() - start

    def write(self, folder):
        y, slopes = self.result
        numpy.save(os.path.join(folder, "value.npy"), y.detach().numpy().astype("float64"))
        for name, slope in zip(self.names, slopes):
            numpy.save(os.path.join(folder, f"d{name}.npy"), slope.contiguous().numpy())


def answer(problem, request):
    """The reply to a request, and the problem that is open after it."""
    verb, *words = request.split("\t")
    if verb == "open":
        case, folder, inputs, wrt, sizes = words
        return "ready", Problem(case, folder, inputs.split(","), wrt.split(","), sizes)
    if verb == "result":
        problem.write(words[0])
        return "ready", problem
    return f"{problem.run(getattr(problem, verb), int(words[0])):.9e}", problem


def main():
    torch.set_num_threads(1)
    print("torch", torch.__version__, flush=True)
    problem = None
    for line in sys.stdin:
        try:
            reply, problem = answer(problem, line.rstrip("\n"))
        except Exception as error:  # whatever it is, the other side is told
            reply = "refused " + str(error).replace("\n", " ")
        print(reply, flush=True)


main()
