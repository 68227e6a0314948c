"""Opening a file as sound or video, by PyAV, in a way that it can lead to no other file and to no address.

FFmpeg follows what some formats say (playlists, `concat`, external tracks). Here it may read one Python file object and
nothing else: only formats that hold their data themselves are tried, every protocol is off, and an attempt to open
anything further fails.
"""

import errno
import os
from typing import IO, Final, NoReturn

import av
import av.container

_FORMATS: Final = "aac,ac3,aiff,asf,avi,caf,dsf,dv,eac3,flac,flv,matroska,mov,mp3,mpeg,mpegts,mxf,ogg,w64,wav,wv"
DECODERS: Final = frozenset(
    {
        "av1", "cfhd", "dnxhd", "dvvideo", "ffv1", "h263", "h264", "hap", "hevc", "huffyuv", "jpeg2000", "libdav1d",
        "libvpx", "libvpx-vp9", "mjpeg", "mpeg1video", "mpeg2video", "mpeg4", "msmpeg4", "png", "prores", "qtrle",
        "rawvideo", "theora", "utvideo", "v210", "vc1", "vp8", "vp9", "wmv3",
        "aac", "ac3", "adpcm_ima_wav", "adpcm_ms", "alac", "dca", "eac3", "flac", "libopus", "mp2", "mp2float", "mp3",
        "mp3float", "opus", "truehd", "vorbis", "wavpack", "wmav2",
        "pcm_alaw", "pcm_bluray", "pcm_dvd", "pcm_f32be", "pcm_f32le", "pcm_f64be", "pcm_f64le", "pcm_mulaw",
        "pcm_s16be", "pcm_s16le", "pcm_s24be", "pcm_s24le", "pcm_s32be", "pcm_s32le", "pcm_s8", "pcm_u8",
    }
)  # fmt: skip
"""Decoders that may see the bytes. A stream of another codec is described by what its container says."""

_OPTIONS: Final = {
    "format_whitelist": _FORMATS,
    "protocol_whitelist": "none",
    "codec_whitelist": ",".join(sorted(DECODERS)),
    "enable_drefs": "0",
    "max_streams": "256",
}


class _Bytes:
    """A file without its name: FFmpeg would let the extension vote on what the content is."""

    def __init__(self, file: IO[bytes]) -> None:
        self.read = file.read
        self.tell = file.tell
        self._seek = file.seek

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """The new position, or a negative error number: FFmpeg goes on after that, but not after an exception."""
        try:
            return self._seek(offset, whence & 3)  # FFmpeg adds flags of its own above the lowest bits
        except (OSError, ValueError):  # damaged files lead to before their beginning
            return -errno.EINVAL


def open_container(file: IO[bytes]) -> av.container.InputContainer | None:
    """The container, its streams probed. None when the content is not of a format that we read, or too damaged."""
    file.seek(0)
    try:
        return av.open(_Bytes(file), mode="r", options=dict(_OPTIONS), metadata_errors="replace", io_open=_refuse)
    except (av.FFmpegError, OSError, ValueError):
        return None


def has_codec(stream: av.VideoStream | av.AudioStream) -> bool:
    """Whether FFmpeg knows the stream's codec at all. PyAV's types do not say that the context may be missing."""
    return getattr(stream, "codec_context", None) is not None


def can_decode(stream: av.VideoStream | av.AudioStream) -> bool:
    """Whether we let the stream's decoder see the bytes."""
    return has_codec(stream) and stream.codec_context.name in DECODERS


def _refuse(_url: str, _flags: int, _options: dict[str, str]) -> NoReturn:
    raise PermissionError("an inspected file must not lead to another one")
