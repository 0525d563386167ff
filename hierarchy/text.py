"""How text is compared everywhere in the product: one normal form for names, tags, keys and ids."""

import unicodedata


def comparison_key(text: str) -> str:
    """The form in which two texts are the same: NFC, trimmed, white space joined, case folded.

    >>> comparison_key("  Straße   12 ") == comparison_key("STRASSE 12")
    True
    """
    folded = " ".join(unicodedata.normalize("NFC", text).split()).casefold()
    return unicodedata.normalize("NFC", folded)
