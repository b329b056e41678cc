"""Sets of UIDs and message numbers as they stand in replies: RFC 9051 section 9, "sequence-set"."""


def expand(words):
    found = set()
    for piece in words.split(b","):
        first, _, last = piece.partition(b":")
        low, high = sorted((int(first), int(last or first)))
        found |= set(range(low, high + 1))
    return found
