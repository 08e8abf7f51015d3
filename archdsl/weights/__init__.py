"""Published and saved weights, by name.

`published` knows where a model's weights are and gets them, `files` reads and writes one's own, `fitting`
puts either into a module.
"""
