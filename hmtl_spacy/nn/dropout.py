"""Dropout that draws fewer random numbers."""

import torch
from torch import Tensor, nn

VALUES = 2**16  # of 16 bits


class Dropout(nn.Dropout):
    """Dropout whose mask on a CPU takes 16 random bits a value: four values of one random number.

    Drawing the mask is most of what torch's own dropout costs there. The rate is rounded to 1/65,536.
    """

    def forward(self, input: Tensor) -> Tensor:
        if not self.training or not 0.0 < self.p < 1.0 or input.device.type != "cpu":
            return super().forward(input)
        n = input.numel()
        numbers = torch.empty((n + 3) // 4, dtype=torch.int64).random_(-(2**63), None)  # any 64 bits
        bits = numbers.view(torch.int16)[:n].view(input.shape)  # uniform in -2**15 .. 2**15 - 1
        mask = bits >= round(self.p * VALUES) - VALUES // 2
        # kept values grow by 1 / (1 - p), so that their expectation stays the same
        return input * mask.to(input.dtype).mul_(1.0 / (1.0 - self.p))
