"""The work of training.ts in PyTorch: prints {"seconds", "version"}. Arguments: threads, epochs."""

import json
import math
import sys
import time

import torch
import torch.nn.functional as F

threads, epochs = int(sys.argv[1]), int(sys.argv[2])
torch.set_num_threads(threads)
torch.manual_seed(1)
dims, batch, count = 512, 1024, 10_000
images = F.normalize(torch.randn(count, dims), dim=-1)
texts = F.normalize(torch.randn(count, dims), dim=-1)
delta = torch.eye(dims, requires_grad=True)
scale = torch.tensor([math.log(1 / 0.07)], requires_grad=True)
eye = torch.eye(dims)
optimizer = torch.optim.AdamW([delta, scale], lr=1e-3, weight_decay=0.0)
target = torch.arange(batch)
start = time.perf_counter()
for _ in range(epochs):
    order = torch.randperm(count)
    for at in range(count // batch):
        rows = order[at * batch : (at + 1) * batch]
        optimizer.zero_grad()
        x = F.normalize(0.8 * images[rows] + 0.2 * images[rows] @ delta, dim=-1)
        logits = scale.clamp(max=math.log(100)).exp() * x @ texts[rows].T
        loss = (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)) / 2
        loss = loss + 1e-3 * (delta - eye).pow(2).sum()
        loss.backward()
        torch.nn.utils.clip_grad_norm_([delta, scale], 1.0)
        optimizer.step()
print(json.dumps({"seconds": time.perf_counter() - start, "version": torch.__version__}))
