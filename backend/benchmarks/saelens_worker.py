"""Steps of SAELens' own trainer, for ``benchmarks.sae_step``; run by a Python that has sae-lens.

Reads one JSON line with the shape, answers "ready", then does one training step per input line
and answers the seconds it took. It is a process of its own since sae-lens pins other packages.
"""

import json
import sys
import time

import torch
from sae_lens.config import SAETrainerConfig  # type: ignore[import-not-found]
from sae_lens.saes.batchtopk_sae import (  # type: ignore[import-not-found]
    BatchTopKTrainingSAE,
    BatchTopKTrainingSAEConfig,
)
from sae_lens.saes.standard_sae import (  # type: ignore[import-not-found]
    StandardTrainingSAE,
    StandardTrainingSAEConfig,
)
from sae_lens.saes.topk_sae import (  # type: ignore[import-not-found]
    TopKTrainingSAE,
    TopKTrainingSAEConfig,
)
from sae_lens.training.sae_trainer import SAETrainer  # type: ignore[import-not-found]

KINDS = {
    "topk": (TopKTrainingSAE, TopKTrainingSAEConfig),
    "batchtopk": (BatchTopKTrainingSAE, BatchTopKTrainingSAEConfig),
    "relu": (StandardTrainingSAE, StandardTrainingSAEConfig),
}


def main() -> None:
    options = json.loads(sys.stdin.readline())
    torch.set_num_threads(options["threads"])
    torch.manual_seed(0)
    x_BD = torch.randn(options["batch"], options["d_model"])
    sae_class, config_class = KINDS[options["activation"]]
    extra = {} if options["activation"] == "relu" else {"k": options["k"]}
    sae = sae_class(config_class(d_in=options["d_model"], d_sae=options["latents"], **extra))
    if options["bias"]:
        torch.nn.init.constant_(sae.b_enc, options["bias"])
    config = SAETrainerConfig(
        total_training_samples=1000 * options["batch"],
        train_batch_size_samples=options["batch"],
        lr=1e-6,
        lr_end=1e-6,
        autocast=options["autocast"],
    )
    trainer = SAETrainer(config, sae, iter([x_BD]))
    print("ready", flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        trainer.step(x_BD)
        print(time.perf_counter() - start, flush=True)


if __name__ == "__main__":
    main()
