"""What each measured figure means; shown beside the figure wherever it stands."""

METRIC_DEFINITIONS: dict[str, str] = {
    "explained_variance": "1 - FVU, with FVU = sum |x - x'|^2 / sum |x - mean|^2 over all held-out "
    "tokens, in the original activation space; mean per dimension over the same tokens; sums in "
    "float64.",
    "fvu": "Fraction of variance unexplained: sum |x - x'|^2 / sum |x - mean|^2 over all held-out "
    "tokens, in the original activation space.",
    "l0": "Mean number of latents above zero per held-out token.",
    "dead_share": "Share of latents that fire on none of the held-out tokens (their number stands "
    "beside it).",
    "dense_share": "Share of latents that fire on more than 10 % of the held-out tokens.",
    "cosine": "Mean cosine between held-out activation and reconstruction.",
    "l2_ratio": "Mean norm of the reconstruction divided by the mean norm of the activation.",
    "ce_recovered_zero": "(CE ablated - CE with reconstruction) / (CE ablated - CE clean), ablated "
    "= zeros in the same places. Replaced are the tokens a dictionary is trained on; special "
    "tokens and norm outliers (attention sinks) keep their true activation in all three.",
    "ce_recovered_mean": "As ce_recovered_zero, with the mean held-out activation as ablation.",
    "ce_clean": "Mean next-token cross-entropy of the untouched model on the same held-out "
    "windows, in nats.",
    "kl": "Mean KL divergence from the untouched model's next-token distribution to the one with "
    "reconstruction, in nats per token.",
    "training_explained_variance": "1 - sum |x - x'|^2 / sum |x - mean|^2 of the training batch "
    "of this step; a guide, not a held-out figure.",
    "dead_latents": "Latents that have not fired for dead_window_tokens training tokens.",
    "kl_mean": "Mean over generated positions of KL(steered || unsteered), both models reading "
    "the steered text, in nats.",
    "kl_p50": "Median of the same divergences.",
    "kl_p95": "95th percentile of the same divergences.",
    "embedding_similarity": "Cosine of the two texts' embeddings by all-MiniLM-L6-v2 (mean of its "
    "last states, 256 tokens at most); only where that model is installed.",
    "repeated_3": "Share of the text's word triples that occurred in it before.",
    "first_divergence": "Index of the first generated token in which the two texts differ.",
    "feature_activation": "Mean over the generated tokens of the feature's activation when the "
    "unsteered model reads the text: whether the text itself is about it.",
    "feature_achieved": "Mean over the generated tokens of the feature's activation in the model "
    "that wrote the text, after the edit.",
    "promoted_share": "Share of the generated tokens among the 20 tokens that each steered "
    "feature's direction promotes most (or suppresses most, where it is pushed down).",
    "perplexity": "exp of the mean next-token cross-entropy of the text under the unsteered model.",
    "similarity": "Cosine of the mean last-layer hidden states that the unsteered model has over "
    "the two generated texts.",
    "word_overlap": "Shared share of distinct lower-case words (Jaccard).",
    "distinct_2": "Distinct word pairs divided by word pairs; low means repetition.",
    "activation_frequency": "Share of the read tokens on which the feature is above zero.",
    "logit_lens": "Direct effect of the feature's decoder direction on the output logits: decoder "
    "times the final norm's gain (mean removed for LayerNorm) times the unembedding.",
}
