"""What the small task is about: sentences whose adjective says their label."""

from zhuli.types.learning.example import Example

WORDS = ("good", "fine", "nice", "sweet", "bad", "poor", "sad", "sour", "soup", "tea", "bread", "day", "very", "was")


def sentences(number: int) -> list[Example]:
    """Of different lengths; what the adjective says is the label."""
    made = []
    for at in range(number):
        label = ("good", "bad")[at % 2]
        adjective = WORDS[at % 2 * 4 + at // 2 % 4]
        noun, more = WORDS[8 + at % 4], " very" * (at % 7)
        made.append(Example(f"the {noun} was{more} {adjective}", label))
    return made
