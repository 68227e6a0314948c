"""The picture that stands for a recording: a frame at a tenth of a video, one from elsewhere where that is dark, or the
cover that came with a sound."""

import contextlib
import io
import math
import struct
import time
from fractions import Fraction
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias, cast

import av
import av.container

from mixip.media.containers import can_decode
from mixip.media.images import PREVIEW_PIXELS, open_image, orientation, thumbnail
from mixip.media.sniff import image_format

if TYPE_CHECKING:
    from av.sidedata.sidedata import SideData
    from PIL.Image import Image

_PLACES: Final = (0.1, 0.25, 0.5, 0.0)
_SECONDS_EACH: Final = 4.0
_DARK: Final = 20
"""Mean brightness (0 to 255) up to which a frame is taken for black."""


Rotation: TypeAlias = Literal[0, 90, 180, 270]


class Poster(NamedTuple):
    """`rotation` is what was applied: degrees clockwise, after mirroring where the file asks for that."""

    image: "Image"
    rotation: Rotation


def poster(container: av.container.InputContainer, stream: av.VideoStream, duration: float | None) -> Poster | None:
    """The first frame that is not dark at 10, 25 and 50 % and at the beginning of the video, else the least dark of
    them. At most 960 pixels, turned as the file asks. None when nothing could be decoded."""
    if not can_decode(stream):
        return None
    stream.codec_context.thread_count = 1  # each thread would hold frames of its own, and memory is limited
    best: tuple[float, Poster] | None = None
    for place in _PLACES if duration else (0.0,):
        frame = _frame_at(container, stream, place * (duration or 0.0))
        if frame is None:
            continue
        try:
            found = _show(frame, stream)
        except (av.FFmpegError, OSError, ValueError, MemoryError):
            continue  # a frame that cannot be converted must not cost the facts
        brightness = _brightness(found.image)
        if brightness > _DARK:
            return found
        if best is None or brightness > best[0]:
            best = brightness, found
    return best[1] if best else None


def pixel_shape(stream: av.VideoStream) -> Fraction:
    """How much wider than high a pixel is; 1 where that is not said, or not believable."""
    shape = stream.sample_aspect_ratio or Fraction(1)
    return shape if Fraction(1, 10) <= shape <= 10 else Fraction(1)


def cover(container: av.container.InputContainer, stream: av.VideoStream, *, most_pixels: int) -> "Image | None":
    """The picture attached to a sound, if it is an image that we would also read as a file."""
    with contextlib.suppress(Exception):  # a damaged picture must not cost the facts of the sound
        data = bytes(next(iter(container.demux(stream))))
        known = image_format(data)
        image = open_image(io.BytesIO(data), known) if known else None
        if image and math.prod(image.size) <= most_pixels:
            return thumbnail(image, orientation(image))
    return None


def _frame_at(container: av.container.InputContainer, stream: av.VideoStream, seconds: float) -> av.VideoFrame | None:
    """The frame at a time, or the last one before it that could be reached in four seconds."""
    wanted = (stream.start_time or 0) + int(seconds / (stream.time_base or 1))
    last = None
    deadline = time.monotonic() + _SECONDS_EACH
    try:
        with contextlib.suppress(av.FFmpegError):  # what cannot seek is read from where it is
            container.seek(wanted, stream=stream)
        for packet in container.demux(stream):
            with contextlib.suppress(av.FFmpegError):  # a damaged packet: the next may do
                for frame in packet.decode():
                    last = frame
                    if frame.pts is None or frame.pts >= wanted:
                        return frame
            if time.monotonic() > deadline:
                break
    except (av.FFmpegError, OSError, ValueError, MemoryError):
        pass
    return last


def _show(frame: av.VideoFrame, stream: av.VideoStream) -> Poster:
    from PIL.Image import Transpose

    width, height = float(frame.width * pixel_shape(stream)), float(frame.height)
    scale = min(1.0, PREVIEW_PIXELS / max(width, height))
    image = cast(
        "Image",
        frame.to_image(  # type: ignore[no-untyped-call]
            width=max(1, round(width * scale)), height=max(1, round(height * scale)), interpolation="BICUBIC"
        ),
    )
    mirrored, rotation = _display_matrix(frame)
    if mirrored:
        image = image.transpose(Transpose.FLIP_LEFT_RIGHT)
    if rotation:
        clockwise = {90: Transpose.ROTATE_270, 180: Transpose.ROTATE_180, 270: Transpose.ROTATE_90}
        image = image.transpose(clockwise[rotation])
    return Poster(image, rotation)


def _display_matrix(frame: av.VideoFrame) -> tuple[bool, Rotation]:
    """Whether to mirror, left to right, and then how far to turn clockwise, to the nearest quarter (ISO 14496-12,
    matrix of the track header: a b u c d v x y w, with x' = ax + cy and y' = bx + dy, y downwards)."""
    found = cast("SideData | None", frame.side_data.get("DISPLAYMATRIX"))
    if found is None or len(bytes(found)) < 36:
        return False, 0
    a, b, _, c, d, *_ = struct.unpack("=9i", bytes(found)[:36])
    quarters = round(math.degrees(math.atan2(-c, d)) / 90) % 4
    turns: tuple[Rotation, ...] = (0, 90, 180, 270)
    return a * d - b * c < 0, turns[quarters]


def _brightness(image: "Image") -> float:
    grey = image.resize((32, 32)).convert("L").tobytes()
    return sum(grey) / len(grey)
