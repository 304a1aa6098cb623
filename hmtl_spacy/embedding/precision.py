"""In which precision a transformer computes."""

import warnings
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import Any

import torch

PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}


def usable_precision(precision: str, device: torch.device) -> torch.dtype:
    """What `precision` means on a device: float32 where bfloat16 would be emulated, slower than float32.

    precision: one of PRECISIONS.
    """
    dtype = PRECISIONS[precision]
    if dtype == torch.bfloat16 and not computes_bfloat16(device.type):
        _warn_of_float32(device.type)
        return torch.float32
    return dtype


def autocast(precision: str, device: torch.device) -> AbstractContextManager[Any]:
    """Where matrix products are computed in that precision, though weights and gradients stay in float32."""
    if usable_precision(precision, device) == torch.float32:
        return nullcontext()
    return torch.autocast(device.type, dtype=torch.bfloat16)


@cache
def computes_bfloat16(device_type: str) -> bool:
    """Whether the processors of that type have instructions for bfloat16."""
    if device_type == "cuda":
        return torch.cuda.get_device_properties().major >= 8
    if device_type != "cpu":
        return True
    if hasattr(torch.cpu, "get_capabilities"):  # x86, x86 with tiles, ARM
        found = torch.cpu.get_capabilities()
        return any(found.get(name, False) for name in ("avx512_bf16", "amx_bf16", "bf16"))
    # what older versions of torch know: any AVX-512 counts
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


@cache
def _warn_of_float32(device_type: str) -> None:
    warnings.warn(
        f'The transformer\'s precision is "bfloat16", but this {device_type} has no instructions for it '
        f"(x86: AVX-512 BF16 or AMX; ARM: BF16; CUDA: compute capability 8), so it runs in float32. Set "
        f'precision to "float32" to do without this warning.',
        UserWarning,
        stacklevel=2,
    )
