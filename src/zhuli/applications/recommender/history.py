"""How much an event says that its user likes the item."""

from zhuli.types.applications.recommender import EventKind, EventWeights


def weight_of(kind: EventKind, value: float | None, weights: EventWeights, liked_from: float | None) -> float:
    """By its kind; of a rating below liked_from nothing."""
    if kind == "rate" and value is not None and liked_from is not None and value < liked_from:
        return 0.0
    weight: float = getattr(weights, kind)
    return weight
