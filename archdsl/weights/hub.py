"""The Hugging Face hub, where timm keeps most weights: does it answer, before it is asked for a file?"""

from __future__ import annotations

from pathlib import Path


def reach(name: str) -> None:
    """Does nothing if the weights of a model of timm are in the hub's cache, or the hub answers.

    Its client asks for a file with six tries and pauses of 23 seconds between them, and timm for several
    files. Three tries within two seconds tell a network that is down from one that drops a request.

    Raises:
        Exception: what the hub's client raises where it doesn't get through.
    """
    import timm
    from huggingface_hub import constants
    from huggingface_hub.utils import http_backoff  # type: ignore[attr-defined]

    facts = timm.get_pretrained_cfg(name)
    place = facts.hf_hub_id if facts else None
    if place and not _is_cached(place, Path(constants.HF_HUB_CACHE)):
        http_backoff(
            "HEAD",
            constants.ENDPOINT,
            max_retries=2,
            base_wait_time=0.5,
            retry_on_status_codes=(),  # any answer will do
            timeout=constants.HF_HUB_ETAG_TIMEOUT,
        )


def _is_cached(place: str, cache: Path) -> bool:
    """Whether files of a repository of the hub are here; timm knows which of them it takes."""
    folder = "--".join(("models", *place.partition("@")[0].split("/")))
    return any((cache / folder).glob("snapshots/*/*"))
