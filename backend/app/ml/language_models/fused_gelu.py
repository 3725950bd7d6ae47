"""GPT-2's and Phi's activation as one operation instead of eight passes over the widest tensor."""

from __future__ import annotations

from torch import nn
from transformers.activations import NewGELUActivation


def fuse_gelu(model: nn.Module) -> None:
    """Put PyTorch's tanh GELU in the place of the same formula written out."""
    for module in list(model.modules()):
        for name, child in module.named_children():
            if isinstance(child, NewGELUActivation):
                setattr(module, name, nn.GELU(approximate="tanh"))
