"""A candidate is text, with what is known of it before it is trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from archdsl.elaboration.choices import Answer, Choice, Decide


class Architecture(Protocol):
    """What a study asks of a closed member of a space."""

    @property
    def identity(self) -> str: ...
    @property
    def params(self) -> int: ...
    @property
    def macs(self) -> int | None: ...
    @property
    def choices(self) -> Mapping[str, str]: ...
    @property
    def weights(self) -> Mapping[str, str]: ...
    def to_text(self) -> str: ...


class Space(Protocol):
    """What a study asks of a space."""

    @property
    def choices(self) -> Sequence[Choice]: ...

    def count(self) -> int:
        """How many members; a range of real numbers counts as very many."""

    def decide(self, decide: Decide) -> Architecture:
        """One member; raises ArchError where these decisions make no network."""

    def violations(self, architecture: Any) -> tuple[str, ...]:
        """The requirements that a member breaks, as they are written."""


def identity_of(architecture: Architecture) -> str:
    """What makes a candidate another one: its network, and the published weights that it starts from."""
    weights = (f"{path}={tag}" for path, tag in sorted(architecture.weights.items()))
    return " ".join([architecture.identity, *weights])


@dataclass(frozen=True)
class Candidate:
    """A closed member of the space that is worth training.

    Attributes:
        text: canonical, closed `.arch` text.
        identity: of the network and the weights that it starts from; equal candidates are trained once.
        choices: what each open choice became, by name.
        params, macs: trainable parameters; multiply-adds of one image, None where they are not known.
    """

    text: str
    identity: str
    choices: Mapping[str, str]
    params: int
    macs: int | None

    @classmethod
    def of(cls, architecture: Architecture) -> Candidate:
        return cls(
            text=architecture.to_text(),
            identity=identity_of(architecture),
            choices=dict(architecture.choices),
            params=architecture.params,
            macs=architecture.macs,
        )

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> Candidate:
        return cls(**fields)


@dataclass(frozen=True)
class Proposal:
    """A candidate and the decisions that lead to it, in the order in which they were asked."""

    candidate: Candidate
    decisions: tuple[tuple[Choice, Answer], ...]
