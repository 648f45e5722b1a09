"""Recipes that turn checkpoints into the model packs that Afterimage reads. See README.md."""
