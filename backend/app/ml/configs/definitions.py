"""What each measured figure means; shown beside the figure wherever it stands."""

METRIC_DEFINITIONS: dict[str, str] = {
    "explained_variance": "1 - FVU, with FVU = sum |x - x'|^2 / sum |x - mean|^2 over all held-out "
    "tokens, in the original activation space; mean per dimension over the same tokens; sums in "
    "float64. For a transcoder x is its target.",
    "fvu": "Fraction of variance unexplained: sum |x - x'|^2 / sum |x - mean|^2 over all held-out "
    "tokens, in the original activation space.",
    "l0": "Mean number of latents above zero per held-out token.",
    "l0_p5": "5 % of the held-out tokens have this many latents above zero, or fewer.",
    "l0_p95": "95 % of the held-out tokens have this many latents above zero, or fewer.",
    "dead_share": "Share of latents that fire on none of the held-out tokens (their number stands "
    "beside it). No interval: a resample holds fewer different documents, which only raises it.",
    "dense_share": "Share of latents that fire on more than 10 % of the held-out tokens.",
    "cosine": "Mean cosine between held-out activation and reconstruction.",
    "l2_ratio": "Mean norm of the reconstruction divided by the mean norm of the activation.",
    "relative_bias": "Relative reconstruction bias: sum |x'|^2 / sum x . x'. 1 means that no "
    "rescaling of the reconstruction would bring it nearer; below 1 it is shrunk.",
    "pca_explained_variance": "Baseline: explained variance, on the same tokens, of the linear "
    "subspace of as many dimensions as the dictionary's L0 (rounded) that holds most variance of "
    "the training tokens. Beyond 1024 dimensions it is found by subspace iteration.",
    "mean_explained_variance": "Baseline: explained variance, on the same tokens, of answering "
    "every token with the mean of the training tokens. Slightly below 0, since the spread is "
    "taken about the held-out mean.",
    "skip_explained_variance": "Baseline: explained variance of the skip path with its bias alone, "
    "all latents at zero.",
    "ce_recovered_zero": "(CE ablated - CE with reconstruction) / (CE ablated - CE clean), ablated "
    "= zeros in the same places. Replaced are the tokens a dictionary is trained on; special "
    "tokens and norm outliers (attention sinks) keep their true activation in all three. Not "
    "clipped. A transcoder's output replaces the MLP's.",
    "ce_recovered_mean": "As ce_recovered_zero, with the mean held-out activation as ablation.",
    "kl_recovered_zero": "1 - KL with reconstruction / KL ablated, KL from the untouched model's "
    "next-token distribution, ablated = zeros; the same tokens as ce_recovered_zero.",
    "kl_recovered_mean": "As kl_recovered_zero, with the mean held-out activation as ablation.",
    "ce_clean": "Mean next-token cross-entropy of the untouched model on the same held-out "
    "windows, in nats.",
    "ce_sae": "The same with the reconstruction in the activation's place, in nats.",
    "ce_zero": "The same with zeros in the activation's place, in nats.",
    "ce_mean": "The same with the mean held-out activation in its place, in nats.",
    "ce_skip": "The same with the skip path and its bias alone, in nats.",
    "kl": "Mean KL divergence from the untouched model's next-token distribution to the one with "
    "reconstruction, in nats per token.",
    "kl_skip": "The same divergence with the skip path and its bias alone, in nats per token.",
    "interval": "95 % percentile interval over 1000 seeded resamples of whole held-out documents "
    "(the spread's mean held fixed); it shows the luck of the draw of documents, not of training.",
    "floor_share": "Share of the hardware floor: seconds that the products x W_enc of the tokens "
    "seen since the last point must take (2 x d_in x latents FLOP per token, at the rate of matrix "
    "products measured on this device, in this number format, when the run began; on a CPU in the "
    "threads' own time, so other programs lower the share and not the floor), divided by the "
    "seconds that passed. 1 would mean that everything but the encoder's forward product is free.",
    "training_explained_variance": "1 - sum |x - x'|^2 / sum |x - mean|^2 of the training batch "
    "of this step; a guide, not a held-out figure.",
    "dead_latents": "Latents that have not fired for dead_window_tokens training tokens.",
    "kl_mean": "Mean over generated positions of KL(steered || unsteered), both models reading "
    "the steered text, in nats.",
    "kl_p50": "Median of the same divergences.",
    "kl_p95": "95th percentile of the same divergences.",
    "embedding_similarity": "Cosine of the two texts' embeddings by all-MiniLM-L6-v2 (mean of its "
    "last states, 256 tokens at most); only where that model is installed.",
    "repeated_3": "Share of the text's token triples that occurred in it before.",
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
    "distinct_2": "Distinct token pairs divided by token pairs of the text; low means repetition.",
    "activation_frequency": "Share of the read tokens on which the feature is above zero.",
    "p99_activation": "99th percentile of the activations above zero, read off bins of an eighth "
    "of an octave (right to 9 %).",
    "token_concentration": "Share of the feature's activation mass on its strongest token.",
    "effective_tokens": "1 / sum p^2 with p the share of the activation mass per token: as many "
    "tokens as carry the feature.",
    "token_entropy": "Entropy of the activation mass over tokens, divided by the log of their "
    "number: 0 one token, 1 all alike.",
    "token_rule": "Balanced accuracy of the rule 'fires if the token is one of these (at most "
    "16)', chosen on 60 % of the documents and measured on every token of the other 40 %; "
    "interval: 95 %, binomial, tokens taken as independent.",
    "context_shift": "Of the held-out occurrences of the rule's tokens, the share on which the "
    "feature does not fire: 0 the token says all, near 1 the context decides.",
    "coherence": "Area under the ROC curve with which sentence embeddings tell the feature's "
    "held-out contexts, strong and weak ones, from contexts in which it is silent, by nearness to "
    "its contexts in other documents. The silent ones are of three kinds, as many of each as there "
    "are, 12 at most: from anywhere, with one of its own tokens, and near in meaning. Interval: "
    "95 %, over resamples of documents, not narrower than Hanley and McNeil's; the null is the "
    "same for contexts drawn from anywhere. Measured on the features with most activation, where "
    "an embedder is installed (make embedder).",
    "interpretability_score": "(lower end of the score's 95 % interval - null) / (1 - null), the "
    "best of token_rule and coherence; the null is the same score for firings dealt out at random.",
    "logit_kurtosis": "Excess kurtosis over the vocabulary of the feature's direct effect on the "
    "logits: 0 like noise, large where it singles out a few tokens.",
    "output_score": "Whether the feature steers: at the end of a neutral prompt it is raised by 10 "
    "times the largest activation there (the dictionary's error stays), and of the 20 tokens that "
    "its direction promotes most the likeliest next one is taken. Score: (1 - number of likelier "
    "tokens / vocabulary) x its probability, 0 to 1; null: the same for random directions as long. "
    "Needs no contexts. Source: Arad et al. 2025.",
    "input_score": "Whether the feature reads what it writes: share of its strongest contexts (at "
    "most 100, at least 10) whose strongest token is one of the 20 that its direction promotes "
    "most; interval: 95 %, Wilson; null: the same with the tokens that other features promote. "
    "Source: Arad et al. 2025.",
    "nearest_cosine": "Cosine of the decoder direction with the nearest other one.",
    "max_jaccard": "Largest Jaccard index of firing with another feature, on a subsample.",
    "encoder_decoder_cosine": "Cosine of the feature's encoder and decoder directions.",
    "class_auc": "Chance that the feature's largest activation on a line of the class exceeds that "
    "on another line; ties count half; 95 % interval by Hanley and McNeil.",
    "feature_ablation": "The feature's activation times its decoder direction is subtracted at "
    "every token of the shown contexts, each read on its own; all else stays. Rise of the next "
    "token's cross-entropy and KL(clean || ablated), in nats; means over the tokens on which it "
    "fires.",
    "correlation": "Pearson: of the two activations over all tokens of the subsample, zeros "
    "included. Jaccard: tokens on which both fire / tokens on which either does. PMI: log of the "
    "common firings over those expected if independent, in nats. At least 5 common firings.",
    "logit_lens": "Direct effect of the feature's decoder direction on the output logits: decoder "
    "times the final norm's gain (mean removed for LayerNorm) times the unembedding.",
}
