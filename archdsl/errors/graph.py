"""Mistakes in a graph that is to become a network again (E480 to E488).

They name nodes; a graph has no text to point at.
"""

from __future__ import annotations

from archdsl.errors.base import Mistake, named, suggest


class NotANetwork(Mistake):
    """A graph that was not made by archdsl and says nothing of its input or outputs."""

    code = "E480"
    missing: str

    def message(self) -> str:
        return f"this graph is no network: `graph.graph` has no `{self.missing}`"

    def help(self) -> str:
        return "start from `Architecture.graph`, and keep its attributes when you copy it"


class NoOperation(Mistake):
    code = "E481"
    node: object
    got: object

    def message(self) -> str:
        what = "no operation" if self.got is None else f"`{self.got}` for an operation"
        return f"node `{self.node}` has {what}"

    def help(self) -> str:
        return "write `graph.add_node(name, op=...)`: an edge to a name that is not there makes a bare node"


class CyclicGraph(Mistake):
    code = "E482"
    nodes: tuple[object, ...]

    def message(self) -> str:
        return "the graph has a cycle: " + " → ".join(f"`{node}`" for node in self.nodes)


class WrongPorts(Mistake):
    """The edges into a node don't say which input each is: 0, 1, ... without a gap."""

    code = "E483"
    node: object
    got: tuple[object, ...]

    def message(self) -> str:
        ports = ", ".join("none" if port is None else str(port) for port in self.got)
        return (
            f"the edges into `{self.node}` have the ports {ports}; they must count 0 to {len(self.got) - 1}"
        )

    def help(self) -> str:
        return "write `graph.add_edge(source, node, port=0)`"


class WrongInputs(Mistake):
    """A node with more or fewer edges into it than its operation reads."""

    code = "E484"
    node: object
    word: str
    got: int
    least: int
    most: int | None

    def message(self) -> str:
        if self.least == self.most:
            wanted = f"{self.least}"
        else:
            wanted = f"at least {self.least}" if self.most is None else f"{self.least} to {self.most}"
        inputs = "input" if wanted == "1" else "inputs"
        edges = "edge leads" if self.got == 1 else "edges lead"
        return f"`{self.word}` at node `{self.node}` reads {wanted} {inputs}, and {self.got} {edges} there"


class MisfitNode(Mistake):
    """An operation that can't read what its edges bring."""

    code = "E485"
    node: object
    why: Mistake

    def message(self) -> str:
        return f"node `{self.node}`: {self.why.message()}"

    def help(self) -> str:
        return self.why.help()


class NoSuchNode(Mistake):
    """An output that names a node which is gone."""

    code = "E486"
    output: str
    node: object
    known: tuple[str, ...]

    def message(self) -> str:
        return f"output `{self.output}` comes from node `{self.node}`, which is not in the graph"

    def help(self) -> str:
        near = suggest(str(self.node), self.known)
        return f"did you mean `{near}`?" if near else f"nodes: {named(self.known)}"


class PathTaken(Mistake):
    """Two operations at one module path, or one inside the other, that can't share a module."""

    code = "E487"
    node: object
    path: str
    other: object
    other_path: str

    def message(self) -> str:
        where = "is that" if self.path == self.other_path else "lies inside that"
        return f"the module path of node `{self.node}`, `{self.path}`, {where} of node `{self.other}`"

    def help(self) -> str:
        if self.path != self.other_path:
            return f"a module that holds others does nothing itself: set another `path` than `{self.path}`"
        return "nodes share a module only if operation and channels are the same; else set another `path`"


class NoInput(Mistake):
    """A node that nothing leads into, beside the image."""

    code = "E488"
    node: object

    def message(self) -> str:
        return f"nothing leads into node `{self.node}`"

    def help(self) -> str:
        return "only `@input` reads nothing; an edge from a name that is not there makes a bare node"
