"""The pages of `payments`, a module per noun."""
