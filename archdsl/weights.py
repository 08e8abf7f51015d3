"""Published and saved weights, by name."""
