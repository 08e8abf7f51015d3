"""Published and saved weights, by name.

`fetching` gets those that others trained, `files` reads and writes one's own, `fitting` puts either into a
module.
"""
