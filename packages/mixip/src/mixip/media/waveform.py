"""The waveform of a sound: the loudest sample of each of 400 equal parts.

Up to ten minutes are decoded whole. Of anything longer 400 windows of a quarter of a second are decoded, one from the
middle of each part, so that hours cost as much as minutes. Memory is the same for both.
"""

import array
import contextlib
import itertools
import time
from collections.abc import Iterator
from typing import Final

import av
import av.container

from mixip.media.containers import can_decode
from mixip.media.facts import WAVEFORM_BUCKETS

_WHOLE_SECONDS: Final = 600.0
_WINDOW_SECONDS: Final = 0.25
_BUDGET_SECONDS: Final = 15.0
_RATE: Final = 16_000
_FULL_SCALE: Final = 32_768


def waveform(
    container: av.container.InputContainer, stream: av.AudioStream, duration: float | None
) -> tuple[int, ...] | None:
    """400 peaks, 0 to 100 % of full scale. None when the sound cannot be decoded, or not in time: fifteen seconds for
    the whole, and where that was too slow, fifteen more for windows."""
    if not can_decode(stream):
        return None
    stream.codec_context.thread_count = 1
    try:
        peaks = _peaks(container, stream, duration)
    except (av.FFmpegError, OSError, ValueError, MemoryError):  # TimeoutError, too, is an OSError
        return None
    return tuple(min(100, round(peak * 100 / _FULL_SCALE)) for peak in peaks) if peaks else None


def _peaks(container: av.container.InputContainer, stream: av.AudioStream, duration: float | None) -> list[int]:
    if not duration or duration <= _WHOLE_SECONDS:
        try:
            return _whole(container, stream, time.monotonic() + _BUDGET_SECONDS)
        except TimeoutError:
            if not duration:
                raise
    return _windows(container, stream, duration, time.monotonic() + _BUDGET_SECONDS)


def _whole(container: av.container.InputContainer, stream: av.AudioStream, deadline: float) -> list[int]:
    """Peaks of everything. How long it is is seen only at its end (files lie), so that neighbouring peaks are merged
    whenever there are too many."""
    peaks: list[int] = []
    step = 64  # samples for each peak
    rest = array.array("h")
    channels = _channels(stream)
    _seek(container, stream, 0.0)
    for samples in _samples(container, stream, deadline):
        rest.extend(samples)
        size = step * channels
        whole = len(rest) - len(rest) % size
        peaks.extend(_peak(rest[at : at + size]) for at in range(0, whole, size))
        del rest[:whole]
        if len(peaks) >= 16 * WAVEFORM_BUCKETS:
            if len(peaks) % 2:
                peaks.append(0)
            peaks = [max(pair) for pair in zip(peaks[::2], peaks[1::2], strict=True)]
            step *= 2
    if rest:
        peaks.append(_peak(rest))
    return _buckets(peaks)


def _windows(
    container: av.container.InputContainer, stream: av.AudioStream, duration: float, deadline: float
) -> list[int]:
    peaks = []
    for bucket in range(WAVEFORM_BUCKETS):
        _seek(container, stream, (bucket + 0.5) * duration / WAVEFORM_BUCKETS)
        wanted = int(_WINDOW_SECONDS * _RATE) * _channels(stream)
        peak = 0
        for samples in _samples(container, stream, deadline):
            peak = max(peak, _peak(samples))
            wanted -= len(samples)
            if wanted <= 0:
                break
        peaks.append(peak)
    return peaks


def _samples(
    container: av.container.InputContainer, stream: av.AudioStream, deadline: float
) -> Iterator["array.array[int]"]:
    """What follows, as 16-bit samples at 16 kHz or less, interleaved. More than one channel become two and
    not one: mixed to one, two in opposite phase would cancel each other. Raises TimeoutError at the deadline."""
    resampler = av.AudioResampler(
        format="s16",
        layout="stereo" if _channels(stream) == 2 else "mono",
        rate=min(stream.sample_rate or _RATE, _RATE),
    )
    for packet in container.demux(stream):
        if time.monotonic() > deadline:
            raise TimeoutError
        with contextlib.suppress(av.InvalidDataError):  # a damaged packet is as good as silence
            for frame in packet.decode():
                for resampled in resampler.resample(frame):
                    yield _plain(resampled)
    for resampled in resampler.resample(None):
        yield _plain(resampled)


def _plain(frame: av.AudioFrame) -> "array.array[int]":
    size = frame.samples * frame.layout.nb_channels * 2  # the plane may be longer, for alignment
    return array.array("h", bytes(frame.planes[0])[:size])


def _channels(stream: av.AudioStream) -> int:
    return 1 if stream.channels == 1 else 2


def _seek(container: av.container.InputContainer, stream: av.AudioStream, seconds: float) -> None:
    with contextlib.suppress(av.FFmpegError):
        container.seek((stream.start_time or 0) + int(seconds / (stream.time_base or 1)), stream=stream)


def _peak(samples: "array.array[int]") -> int:
    return max(max(samples), -min(samples)) if samples else 0


def _buckets(peaks: list[int]) -> list[int]:
    """400 peaks out of any number: the largest of each part, or the nearest where there are fewer."""
    edges = [part * len(peaks) // WAVEFORM_BUCKETS for part in range(WAVEFORM_BUCKETS + 1)]
    return [max(peaks[start : max(end, start + 1)]) for start, end in itertools.pairwise(edges) if peaks]
