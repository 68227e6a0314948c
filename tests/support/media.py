"""Real media files, made with PyAV."""

import math
from array import array
from fractions import Fraction
from pathlib import Path

import av
from PIL import Image


def make_video(path: Path, *, seconds: int) -> Path:
    """An MP4 with H.264, 320 by 180 at 25 frames a second, and AAC in stereo at 48 kHz."""
    with av.open(str(path), "w", options={"movflags": "faststart"}) as output:
        video = output.add_stream("libx264", rate=Fraction(25))
        video.width, video.height, video.pix_fmt = 320, 180, "yuv420p"
        audio = output.add_stream("aac", rate=48_000, layout="stereo")
        for number in range(25 * seconds):
            picture = Image.new("RGB", (320, 180), (30 + number % 200, 90, 160))
            output.mux(video.encode(av.VideoFrame.from_image(picture)))  # type: ignore[no-untyped-call]
        output.mux(video.encode(None))
        for frame in _tone(48_000, 2, seconds):
            output.mux(audio.encode(frame))
        output.mux(audio.encode(None))
    return path


def make_audio(path: Path, *, seconds: int) -> Path:
    """A WAV with 16-bit PCM, mono, 44.1 kHz: a tone that swells."""
    with av.open(str(path), "w") as output:
        audio = output.add_stream("pcm_s16le", rate=44_100, layout="mono")
        for frame in _tone(44_100, 1, seconds):
            output.mux(audio.encode(frame))
        output.mux(audio.encode(None))
    return path


def _tone(rate: int, channels: int, seconds: int) -> list[av.AudioFrame]:
    frames = []
    layout = "stereo" if channels == 2 else "mono"
    for start in range(0, rate * seconds, 1024):
        count = min(1024, rate * seconds - start)
        samples = array("h")
        for index in range(start, start + count):
            value = int(20_000 * (index / (rate * seconds)) * math.sin(index * 2 * math.pi * 440 / rate))
            samples.extend([value] * channels)
        frame = av.AudioFrame(format="s16", layout=layout, samples=count)
        frame.sample_rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
        plane = frame.planes[0]
        plane.update(samples.tobytes().ljust(plane.buffer_size, b"\0"))
        frames.append(frame)
    return frames
