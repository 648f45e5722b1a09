"""Lets several single-threaded processes train one model: they meet once a step, to average gradients.

Two processes of one thread each did 1.5 times the steps of one process with two threads, and more on a busy
machine: threads meet after every operation, and each meeting waits for whichever was not scheduled.
"""

from __future__ import annotations

import torch
import torch.multiprocessing as mp


class Circle:
    """What the processes share; make it before forking. Sizes: 2 buffers x workers x all parameters, fp32."""

    def __init__(self, workers: int, parameters: int):
        self.workers = workers
        self.gradients = torch.zeros(2, workers, parameters).share_memory_()
        self.order = torch.zeros(2, 2, dtype=torch.float64).share_memory_()  # what rank 0 says of the next step: part of the time, go on
        self.barrier = mp.get_context("fork").Barrier(workers)


class Member:
    """One process's place in the circle."""

    def __init__(self, circle: Circle, rank: int, parameters: list[torch.nn.Parameter]):
        self.circle, self.rank, self.parameters, self.turn = circle, rank, parameters, 0

    def meet(self, part: float, go_on: bool) -> tuple[float, bool]:
        """Averages .grad over all members; returns rank 0's (part, go_on), so that all stop and change together.

        @throws threading.BrokenBarrierError when a member has not come for five minutes
        """
        buffers = self.circle.gradients[self.turn]
        at = 0
        for p in self.parameters:
            buffers[self.rank, at : at + p.numel()] = p.grad.reshape(-1)
            at += p.numel()
        if self.rank == 0:
            self.circle.order[self.turn, 0], self.circle.order[self.turn, 1] = part, float(go_on)
        self.circle.barrier.wait(300)
        mean, at = buffers.mean(0), 0
        for p in self.parameters:
            p.grad.copy_(mean[at : at + p.numel()].view_as(p))  # in place: fused AdamW needs the gradient in the weight's own memory order
            at += p.numel()
        order = self.circle.order[self.turn]
        self.turn = 1 - self.turn  # two buffers: no one can be more than one step ahead, so one meeting a step is enough
        return float(order[0]), bool(order[1])
