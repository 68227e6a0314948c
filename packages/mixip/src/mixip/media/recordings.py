"""Facts of sound and video: what the container and its streams say, put into the field's terms."""

import re
from fractions import Fraction
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, SupportsFloat

import av
import av.container

from mixip.media import facts as f
from mixip.media.containers import has_codec, open_container
from mixip.media.images import write_preview
from mixip.media.poster import Poster, cover, pixel_shape, poster
from mixip.media.sniff import is_webm, iso_brand
from mixip.media.waveform import waveform

if TYPE_CHECKING:
    from PIL.Image import Image

_FORMAT_NAMES: Final = {"asf": "asf", "matroska,webm": "matroska", "mpeg": "mpeg-ps", "mpegts": "mpeg-ts"}
_VIDEO_TYPES: Final = {
    "3gp": "video/3gpp", "asf": "application/vnd.ms-asf", "avi": "video/vnd.avi", "matroska": "video/matroska",
    "mov": "video/quicktime", "mp4": "video/mp4", "mpeg-ps": "video/mp2p", "mpeg-ts": "video/mp2t",
    "mxf": "application/mxf", "ogg": "video/ogg", "webm": "video/webm",
}  # fmt: skip
_AUDIO_TYPES: Final = {
    "3gp": "video/3gpp", "aac": "audio/aac", "ac3": "audio/ac3", "asf": "application/vnd.ms-asf",
    "eac3": "audio/eac3", "flac": "audio/flac", "matroska": "audio/matroska", "mov": "video/quicktime",
    "mp3": "audio/mpeg", "mp4": "audio/mp4", "mpeg-ps": "video/mp2p", "mpeg-ts": "video/mp2t",
    "mxf": "application/mxf", "ogg": "audio/ogg",
    # IANA registered audio/vnd.wave, which browsers do not know; audio/wav is what they play.
    "wav": "audio/wav",
    "webm": "audio/webm",
}  # fmt: skip
_PCM: Final = frozenset({"pcm_u8", "pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_f32le", "pcm_alaw", "pcm_mulaw"})
_PLAYABLE: Final = {
    "mp4": frozenset({"h264", "vp9", "av1", "aac", "mp3", "opus", "flac"}),
    "webm": frozenset({"vp8", "vp9", "av1", "opus", "vorbis"}),
    "ogg": frozenset({"opus", "vorbis", "flac"}),
    "mp3": frozenset({"mp3"}),
    "flac": frozenset({"flac"}),
    "wav": _PCM,
}
"""What current Chromium, Firefox and Safari play, as far as they agree."""


def inspect_recording(file: IO[bytes], head: bytes, preview_dir: Path, *, most_pixels: int) -> f.Facts | None:
    """Facts of a file with sound or video, and a preview: a frame of the video, or the cover that came with the sound.
    None when it is neither."""
    container = open_container(file)
    if container is None:
        return None
    with container:
        pictures = [stream for stream in container.streams.video if has_codec(stream) and not _is_cover(stream)]
        covers = [stream for stream in container.streams.video if has_codec(stream) and _is_cover(stream)]
        sounds = [stream for stream in container.streams.audio if has_codec(stream)]
        if not pictures and not sounds:
            return None
        duration = _duration(container)
        still = poster(container, pictures[0], duration) if pictures else None
        image = still.image if still else None
        if covers and not pictures:
            image = cover(container, covers[0], most_pixels=most_pixels)
        videos = tuple(_video(stream, still if stream is pictures[0] else None) for stream in pictures)
        streams: tuple[f.VideoStream | f.AudioStream, ...] = (*videos, *(_audio(stream) for stream in sounds))
        name = _container_name(container.format.name, head)
        shown = _shown_size(videos[0]) if videos else (None, None)
        return f.Facts(
            kind="video" if pictures else "audio",
            container=name,
            media_type=(_VIDEO_TYPES if pictures else _AUDIO_TYPES).get(name),
            duration=duration,
            bit_rate=_positive(container.bit_rate),
            streams=streams[: f.MAX_STREAMS],
            playable=_playable(name, streams),
            waveform=None if pictures else waveform(container, sounds[0], duration),
            width=shown[0],
            height=shown[1],
            preview=_keep(image, preview_dir) if image else None,
        )


def _keep(image: "Image", preview_dir: Path) -> f.Preview | None:
    try:
        return write_preview(image, preview_dir)
    except (OSError, ValueError, MemoryError):
        return None


def _video(stream: av.VideoStream, still: Poster | None) -> f.VideoStream:
    context = stream.codec_context
    width, height = _positive(stream.width), _positive(stream.height)
    aspect = Fraction(width, height) * pixel_shape(stream) if width and height else None
    return f.VideoStream(
        codec=_codec(stream),
        width=width,
        height=height,
        profile=_word(stream.profile),
        frame_rate=_rate(stream.average_rate or stream.guessed_rate),
        pixel_format=_word(context.pix_fmt),
        rotation=still.rotation if still else 0,
        display_aspect_ratio=f"{aspect.numerator}:{aspect.denominator}" if aspect else None,
        bit_rate=_positive(stream.bit_rate),
    )


def _audio(stream: av.AudioStream) -> f.AudioStream:
    codec = _codec(stream)
    return f.AudioStream(
        codec=codec,
        sample_rate=_positive(stream.sample_rate),
        channels=_positive(stream.channels),
        layout=_layout(stream.layout.name),
        bits=_bits(codec, stream.codec_context.extradata),
        bit_rate=_positive(stream.bit_rate),
    )


def _layout(name: str) -> str | None:
    """FFmpeg writes "2 channels" where the file does not say which; one and two are what they always are."""
    unnamed = {"1 channels": "mono", "2 channels": "stereo"}
    return unnamed.get(name) or (None if name.endswith(" channels") else _word(name))


def _bits(codec: str, extradata: bytes | None) -> int | None:
    """Bits per sample, where the codec says so: PCM in its name, FLAC in STREAMINFO (RFC 9639, 8.2), ALAC in its
    cookie."""
    if found := re.match(r"pcm_[suf](\d+)", codec):
        return int(found[1])
    data = extradata or b""
    if codec == "flac" and len(data) >= 14:
        return ((data[12] & 1) << 4 | data[13] >> 4) + 1
    if codec == "alac" and len(data) >= 18:
        return data[17] or None
    return None


def _duration(container: av.container.InputContainer) -> float | None:
    if container.duration is not None and container.duration > 0:
        return container.duration / 1_000_000
    lengths = [
        float(stream.duration * stream.time_base)
        for stream in container.streams
        if stream.duration and stream.duration > 0 and stream.time_base
    ]
    return max(lengths, default=None)


def _container_name(name: str, head: bytes) -> str:
    if name == "matroska,webm":
        return "webm" if is_webm(head) else "matroska"
    if name.startswith("mov,"):
        brand = iso_brand(head) or b""
        return "mov" if brand == b"qt  " else "3gp" if brand.startswith(b"3g") else "mp4"
    return _FORMAT_NAMES.get(name, name)


def _playable(container: str, streams: tuple[f.VideoStream | f.AudioStream, ...]) -> bool:
    codecs = _PLAYABLE.get(container, frozenset())
    # H.264 beyond 8 bits or 4:2:0 is decoded by no browser's hardware and by few in software.
    return all(
        stream.codec in codecs
        and not (
            isinstance(stream, f.VideoStream)
            and stream.codec == "h264"
            and stream.pixel_format not in {"yuv420p", "yuvj420p"}
        )
        for stream in streams
    )


def _shown_size(video: f.VideoStream) -> tuple[int | None, int | None]:
    if not video.width or not video.height or not video.display_aspect_ratio:
        return video.width, video.height
    across, down = (int(part) for part in video.display_aspect_ratio.split(":"))
    size = (max(1, round(video.height * across / down)), video.height)
    return (size[1], size[0]) if video.rotation in {90, 270} else size


def _is_cover(stream: av.VideoStream) -> bool:
    return bool(stream.disposition & av.stream.Disposition.attached_pic)


def _codec(stream: av.VideoStream | av.AudioStream) -> str:
    return _word(stream.codec_context.codec.canonical_name) or "unknown"


def _word(text: str | None) -> str | None:
    """What may stand in the facts: a short name, without anything that a page would have to be careful with."""
    cleaned = re.sub(r"[^\w .,:;()+/@-]", "", text or "")[:64].strip()
    return cleaned or None


def _positive(number: int | None) -> int | None:
    return number if number and 0 < number <= 2**53 else None


def _rate(rate: SupportsFloat | None) -> float | None:
    value = round(float(rate), 3) if rate else 0.0
    return value if 0 < value <= 100_000 else None
