"""What a training step minimises: one file per activation, gradients written out by hand."""
