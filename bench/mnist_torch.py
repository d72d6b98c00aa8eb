"""PyTorch's side of the MNIST benchmark; bench/mnist.sh speaks to it as to bench/mnist.c.

    mnist_torch.py FOLDER HIDDEN      784 -> HIDDEN -> 10 with relu; HIDDEN = 0: 784 -> 10

For each line on standard input it trains one epoch and prints the seconds that took and the
accuracy on the test images. It is written as plainly fast as we know: tensors in memory and no
loader, no module, no optimiser object, weights in the layout that was the faster one, updates in
place.
"""

import sys
import time

import numpy
import torch
from torch.nn.functional import cross_entropy

BATCH, RATE = 100, 0.3


def read_idx(path):
    with open(path, "rb") as file:
        data = file.read()
    rank = data[3]
    shape = numpy.frombuffer(data, ">u4", rank, 4)
    elements = numpy.frombuffer(data, numpy.uint8, offset=4 + 4 * rank)
    return torch.from_numpy(elements.reshape(shape).copy())


def read_data(folder, part):
    image = read_idx(f"{folder}/{part}-images-idx3-ubyte")
    return image.flatten(1).float() / 255, read_idx(f"{folder}/{part}-labels-idx1-ubyte").long()


def layer(inputs, outputs):
    """Weights from N(0, 2 / inputs), biases from 0."""
    weight = torch.randn(inputs, outputs) * (2 / inputs) ** 0.5
    return [weight.requires_grad_(), torch.zeros(outputs, requires_grad=True)]


def logits(x, p):
    for i in range(0, len(p) - 2, 2):
        x = torch.relu(torch.addmm(p[i + 1], x, p[i]))
    return torch.addmm(p[-1], x, p[-2])


def train(image, label, p):
    for rows in torch.randperm(len(image)).split(BATCH):
        x, y = image.index_select(0, rows), label.index_select(0, rows)
        slope = torch.autograd.grad(cross_entropy(logits(x, p), y), p)
        with torch.no_grad():
            for q, dq in zip(p, slope):
                q.sub_(dq, alpha=RATE)


def main():
    folder, hidden = sys.argv[1], int(sys.argv[2])
    torch.set_num_threads(1)
    torch.manual_seed(1)
    (image, label), (test_image, test_label) = read_data(folder, "train"), read_data(folder, "t10k")
    width = [image.shape[1], hidden, 10] if hidden else [image.shape[1], 10]
    p = [q for inputs, outputs in zip(width, width[1:]) for q in layer(inputs, outputs)]
    for _ in sys.stdin:
        start = time.perf_counter()
        train(image, label, p)
        seconds = time.perf_counter() - start
        with torch.no_grad():
            right = (logits(test_image, p).argmax(1) == test_label).sum().item()
        print(f"{seconds:.4f} {right / len(test_label):.4f}", flush=True)


main()
