"""Both ways between this product and SAELens; run by ``make interop`` where SAELens is installed.

Every kind that is trained here is exported and loaded by SAELens; every class of SAELens is saved
by it and imported here. Latents and outputs must agree to 1e-4.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import sae_lens
import torch
from sae_lens import SAE
from sae_lens.registry import get_sae_class

from app.ml.interchange import check_parity, read_foreign
from app.ml.interchange.saelens_export import SaelensExport
from app.ml.sae_training.sparse_autoencoder import SparseAutoencoder
from tests.ml.interchange.dictionaries import KINDS, D, F, make, rows

TOLERANCE = 1e-4
ARCHITECTURES = ("standard", "topk", "jumprelu", "gated", "transcoder", "skip_transcoder",
                 "jumprelu_transcoder", "jumprelu_skip_transcoder")  # fmt: skip


def main() -> int:
    """Print a line per kind; return how many disagree."""
    print(f"SAELens {sae_lens.__version__}, torch {torch.__version__}, {len(rows())} rows")
    print(f"{'':56}{'latents':>10}{'outputs':>10}  active sets")
    with tempfile.TemporaryDirectory() as folder, torch.no_grad():
        wrong = sum(not _export(kind, Path(folder)) for kind in KINDS)
        wrong += sum(not _import(name, Path(folder)) for name in ARCHITECTURES)
        wrong += not _import("topk", Path(folder), rescale_acts_by_decoder_norm=True)
    print("all agree" if not wrong else f"{wrong} disagree")
    return wrong


def _export(kind: str, folder: Path) -> bool:
    made = make(kind)
    target = folder / f"to-{kind}"
    target.mkdir()
    SaelensExport(made.save(folder / f"ours-{kind}"), {"model_name": "test"}).write(target)
    theirs = SAE.load_from_disk(str(target))
    latents, output = theirs.encode(made.x_ND), theirs(made.x_ND)
    name = theirs.cfg.architecture()
    ours = made.sae
    return _compare(f"exported {kind} -> {name}", ours.encode(made.x_ND), latents,
                    ours(made.x_ND), output)  # fmt: skip


def _import(architecture: str, folder: Path, **more: object) -> bool:
    sae = _random(architecture, more)
    target = folder / f"from-{architecture}-{len(more)}"
    sae.save_model(target)
    foreign = read_foreign(target)
    x = rows()
    output = sae(x)
    check_parity(foreign, x, output)
    ours = SparseAutoencoder(
        foreign.tensors, foreign.activation, foreign.k, centres_input=foreign.centres_input
    )
    name = f"{architecture}{' rescaled' if more else ''}"
    return _compare(f"imported {name}", ours.encode(x), sae.encode(x), ours(x), output)


def _random(architecture: str, more: dict[str, object]) -> SAE:
    sae_class, config_class = get_sae_class(architecture)
    values: dict[str, object] = {"d_in": D, "d_sae": F, **more}
    if "transcoder" in architecture:
        values |= {"d_out": D, "apply_b_dec_to_input": False}
    if architecture == "topk":
        values["k"] = 6
    sae = sae_class(config_class(**values))
    random = torch.Generator().manual_seed(2)
    for name, parameter in sae.named_parameters():
        scale = 0.3 if name.startswith("W") else 0.1
        parameter.copy_(torch.randn(parameter.shape, generator=random) * scale)
        if name == "threshold":
            parameter.abs_()
    return sae


def _compare(
    name: str,
    latents: torch.Tensor,
    their_latents: torch.Tensor,
    output: torch.Tensor,
    their_output: torch.Tensor,
) -> bool:
    difference = (latents - their_latents).abs().max().item()
    written = (output - their_output).abs().max().item()
    same = torch.equal(latents > 0, their_latents > 0)
    print(f"{name:56}{difference:10.1e}{written:10.1e}  {'equal' if same else 'DIFFER'}")
    return difference <= TOLERANCE and written <= TOLERANCE and same


if __name__ == "__main__":
    sys.exit(main())
