"""PyTorch's side of the convolution benchmark; bench/conv.sh speaks to it as to bench/conv.c.

For each line on standard input the convolution and both of its adjoints are run, without padding
and with a border of one, and a line with their milliseconds is printed.
"""

import sys
import time

import torch
from torch.nn.functional import conv2d

REPEATS = 5


def cases(padding):
    x, k = torch.randn(32, 16, 28, 28), torch.randn(32, 16, 3, 3)
    y = torch.randn_like(conv2d(x, k, padding=padding))

    def adjoint(of_image, of_kernel):
        return torch.ops.aten.convolution_backward(
            y, x, k, None, [1, 1], [padding, padding], [1, 1], False, [0, 0], 1,
            [of_image, of_kernel, False])

    return [lambda: conv2d(x, k, padding=padding), lambda: adjoint(True, False),
            lambda: adjoint(False, True)]


def milliseconds(run):
    start = time.perf_counter()
    for _ in range(REPEATS):
        run()
    return (time.perf_counter() - start) * 1e3 / REPEATS


def main():
    torch.set_num_threads(1)
    torch.manual_seed(1)
    runs = cases(0) + cases(1)
    for _ in sys.stdin:
        print(*(f"{milliseconds(run):.4f}" for run in runs), flush=True)


main()
