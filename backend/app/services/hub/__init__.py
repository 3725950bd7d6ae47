"""The Hugging Face hub: downloads that a person asked for, and nothing else."""
