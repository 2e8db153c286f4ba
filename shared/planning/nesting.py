"""Groups within groups: the way from an outer group to each one within it."""

from collections.abc import Collection, Mapping

Nested = Mapping[str, Collection[str]]
"""Id of a group: ids of the groups directly in it."""


def within(root: str, nested: Nested) -> dict[str, tuple[str, ...]]:
    """Every group in *root*, itself too, each with the shortest way to it.

    A way begins behind *root* and ends with the group; of several that are equally short it is
    the first in order of ids. Groups that contain each other end in no loop (DF-29).
    """
    ways: dict[str, tuple[str, ...]] = {root: ()}
    waiting = [root]
    for group in waiting:  # grows while it is read
        for inner in sorted(nested.get(group, ())):
            if inner not in ways:
                ways[inner] = (*ways[group], inner)
                waiting.append(inner)
    return ways
