"""Runs the training steps of benchmarks/training.ts in eager PyTorch: reads a name per line, writes milliseconds per line.

Written from the definitions in src/models in the usual PyTorch style: channels first, tokens repeated over their bases
before the first convolution.
"""

import sys
import time

import torch
import torch.nn.functional as F
from torch import nn


class ProbingHead(nn.Module):
    def __init__(self, width, kernel=8, outputs=2):
        super().__init__()
        self.conv1 = nn.Conv1d(width, 32, 1, padding=1)
        self.conv2 = nn.Conv1d(32, 32, kernel, padding=1)
        self.conv3 = nn.Conv1d(32, 32, kernel, padding=1)
        self.output = nn.Linear(32, outputs)

    def forward(self, bases):  # [b, l, c]
        x = F.relu(self.conv1(bases.swapaxes(1, 2)))
        x = F.relu(self.conv2(x))
        return self.output(F.relu(self.conv3(x)).sum(2))


class ProbingHeadLike(nn.Module):
    def __init__(self, length=350, outputs=2):
        super().__init__()
        self.first = nn.Conv1d(4, 256, 41, padding=20)
        self.position = nn.Parameter(torch.zeros(length, 1))
        self.spread = nn.Linear(1, 256)
        self.head = ProbingHead(256, outputs=outputs)

    def forward(self, x):
        wide = self.first(x.swapaxes(1, 2)).swapaxes(1, 2) + self.spread(self.position)
        return self.head(F.relu(wide))


class ChrombpnetLike(nn.Module):
    def __init__(self, length=500, outputs=5):
        super().__init__()
        self.first = nn.Conv1d(4, 512, 21)
        self.position = nn.Parameter(torch.zeros(length - 20, 1))
        self.spread = nn.Linear(1, 512)
        self.dilated = nn.ModuleList(nn.Conv1d(512, 512, 3, dilation=2**i) for i in range(7))
        self.output = nn.Linear(512, outputs)

    def forward(self, x):
        x = F.relu(self.first(x.swapaxes(1, 2)) + self.spread(self.position).swapaxes(0, 1))
        for conv in self.dilated:
            y = F.relu(conv(x))
            cut = (x.shape[2] - y.shape[2]) // 2
            x = x[:, :, cut : cut + y.shape[2]] + y
        return self.output(x.mean(2))


def one_hot(batch, length):
    return F.one_hot(torch.randint(4, (batch, length)), 4).float()


def training(net, forward, batch, classes):
    labels = torch.arange(batch) % classes
    optimizer = torch.optim.Adam(net.parameters(), 1e-3)

    def step():
        optimizer.zero_grad()
        F.cross_entropy(forward(), labels).backward()
        optimizer.step()

    return step


def cnn():
    net, x = ProbingHeadLike(), one_hot(128, 350)
    return training(net, lambda: net(x), 128, 2)


def head():
    net, tokens = ProbingHead(768), torch.rand(256, 75, 768) - 0.5
    index = (1 + torch.arange(350) * 73 // 350)[None, :, None].expand(256, 350, 768)
    return training(net, lambda: net(torch.gather(tokens, 1, index)), 256, 2)


def chrombpnet(batch, length):
    net, x = ChrombpnetLike(length), one_hot(batch, length)
    return training(net, lambda: net(x), batch, 5)


def product():
    a, b = torch.rand(1024, 1024), torch.rand(1024, 1024)
    return lambda: a @ b


torch.set_num_threads(int(sys.argv[1]))
makers = {
    "product": product,
    "head": head,
    "cnn": cnn,
    "chrombpnet": lambda: chrombpnet(32, 500),
    "chrombpnet-wide": lambda: chrombpnet(8, 2114),
}
steps = {}
print(f"PyTorch {torch.__version__}", flush=True)
for line in sys.stdin:
    name = line.strip()
    if name not in steps:
        steps[name] = makers[name]()
        steps[name]()
    start = time.perf_counter()
    steps[name]()
    print(1000 * (time.perf_counter() - start), flush=True)
