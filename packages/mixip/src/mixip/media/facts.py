"""What the platform learns about a delivered file.

`Facts` is written by the child process that inspects a file and read back by the platform. A file can take the child
over, so everything here is validated when it is read: lengths, ranges, and the media type against a fixed list.
"""

from typing import Annotated, Final, Literal, TypeAlias

import msgspec
from msgspec import Meta

WAVEFORM_BUCKETS: Final = 400
MAX_STREAMS: Final = 64

MEDIA_TYPES: Final = frozenset(
    {
        "application/epub+zip", "application/mxf", "application/pdf", "application/vnd.ms-asf",
        "application/vnd.oasis.opendocument.text",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "application/zip",
        "audio/aac", "audio/ac3", "audio/eac3", "audio/flac", "audio/matroska", "audio/mp4", "audio/mpeg", "audio/ogg",
        "audio/wav", "audio/webm",
        "image/avif", "image/bmp", "image/gif", "image/heic", "image/jpeg", "image/png", "image/tiff", "image/webp",
        "text/csv", "text/markdown", "text/plain", "text/vtt",
        "video/3gpp", "video/matroska", "video/mp2p", "video/mp2t", "video/mp4", "video/ogg", "video/quicktime",
        "video/vnd.avi", "video/webm",
    }
)  # fmt: skip
"""The only media types that a file is ever given: none of them makes a browser run a script."""

Word = Annotated[str, Meta(max_length=64, pattern=r"^[\w .,:;()+/@-]+$")]
Count = Annotated[int, Meta(ge=0, le=2**53)]
Pixels = Annotated[int, Meta(ge=1, le=1_000_000)]
Seconds = Annotated[float, Meta(ge=0, le=1e9)]
Preview: TypeAlias = Literal["preview.jpg", "preview.webp"]
Peak = Annotated[int, Meta(ge=0, le=100)]


class VideoStream(msgspec.Struct, frozen=True, tag="video", tag_field="type", omit_defaults=True):
    """One stream of pictures. `width` and `height` are as stored, in pixels, before `rotation` (degrees clockwise, to
    be applied when showing) and `display_aspect_ratio` ("16:9", before the rotation too)."""

    codec: Word
    width: Pixels | None = None
    height: Pixels | None = None
    profile: Word | None = None
    frame_rate: Annotated[float, Meta(gt=0, le=100_000)] | None = None
    pixel_format: Word | None = None
    rotation: Literal[0, 90, 180, 270] = 0
    display_aspect_ratio: Word | None = None
    bit_rate: Count | None = None


class AudioStream(msgspec.Struct, frozen=True, tag="audio", tag_field="type", omit_defaults=True):
    """One stream of sound. `sample_rate` in hertz; `bits` per sample, where the codec keeps samples exactly."""

    codec: Word
    sample_rate: Count | None = None
    channels: Annotated[int, Meta(ge=1, le=1024)] | None = None
    layout: Word | None = None
    bits: Annotated[int, Meta(ge=1, le=64)] | None = None
    bit_rate: Count | None = None


class Facts(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was read from the file itself. What could not be read is None; nothing is guessed from the file's name.

    `duration` in seconds, `bit_rate` in bits per second. `width` and `height` are what a person sees, in pixels: after
    the EXIF orientation of an image, or the rotation and the shape of the pixels of a video. `playable`: browsers play
    this container with these codecs. `waveform`: loudest sample of each of 400 equal parts, in percent of full scale.
    """

    kind: Literal["video", "audio", "image", "other"]
    container: Word | None = None
    media_type: Annotated[str, Meta(max_length=100)] | None = None
    duration: Seconds | None = None
    bit_rate: Count | None = None
    streams: Annotated[tuple[VideoStream | AudioStream, ...], Meta(max_length=MAX_STREAMS)] = ()
    playable: bool = False
    waveform: Annotated[tuple[Peak, ...], Meta(min_length=WAVEFORM_BUCKETS, max_length=WAVEFORM_BUCKETS)] | None = None
    width: Pixels | None = None
    height: Pixels | None = None
    preview: Preview | None = None

    def __post_init__(self) -> None:
        if self.media_type is not None and self.media_type not in MEDIA_TYPES:
            raise ValueError("a media type that is not on the list")


_decoder = msgspec.json.Decoder(Facts)


def read_facts(data: bytes) -> Facts:
    """Facts from the JSON that the child wrote. Raises msgspec.ValidationError or msgspec.DecodeError."""
    return _decoder.decode(data)


def write_facts(facts: Facts) -> bytes:
    return msgspec.json.encode(facts)
