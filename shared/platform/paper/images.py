"""Whether a picture can be put on paper."""

from __future__ import annotations

import io
import struct

MOST_PIXELS = 25_000_000
"""A small file can unfold to a picture that fills the memory."""


def is_image(content: bytes) -> bool:
    """The whole of it can be drawn."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(content), formats=("PNG", "JPEG")) as image:
            if image.width * image.height > MOST_PIXELS:
                return False
            image.load()
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError, SyntaxError, struct.error):
        return False
    return True
