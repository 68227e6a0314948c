"""Damaged files by the hundred, each in a child of its own. `make soak` runs it; MIXIP_SOAK_SEED repeats a run."""

import io
import logging
import os
import random
import time
from pathlib import Path
from typing import Any

import av
import pytest
from PIL import Image

from mixip.media.limits import Limits
from mixip.media.run import inspect_file


def recording(container: str, video: str | None, audio: str | None) -> bytes:
    """A second of noise."""
    noise = random.Random(1)
    file = io.BytesIO()
    with av.open(file, "w", format=container) as output:
        seen: Any = output.add_stream(video, rate=10) if video else None
        heard: Any = output.add_stream(audio, rate=48_000, layout="mono") if audio else None
        if seen:
            seen.width, seen.height = 160, 120
            seen.pix_fmt = "yuv422p10le" if video == "prores_ks" else "yuv420p"
            for index in range(10):
                picture = av.VideoFrame(160, 120, seen.pix_fmt)
                picture.pts = index
                output.mux(seen.encode(picture))
            output.mux(seen.encode(None))
        if heard:
            for index in range(10):
                sound = av.AudioFrame(format="s16", layout="mono", samples=4800)
                sound.planes[0].update(noise.randbytes(sound.planes[0].buffer_size))
                sound.sample_rate, sound.pts = 48_000, index * 4800
                output.mux(heard.encode(sound))
            output.mux(heard.encode(None))
    return file.getvalue()


def image(image_format: str) -> bytes:
    file = io.BytesIO()
    Image.effect_noise((200, 150), 50).convert("RGB").save(file, image_format)
    return file.getvalue()


def damage(data: bytes, noise: random.Random) -> bytes:
    damaged = bytearray(data)
    for _ in range(noise.choice([1, 3, 10, 50, 300])):
        # Half of the damage goes to the beginning, where the structure is.
        end = len(damaged) if noise.random() < 0.5 else min(len(damaged), 2000)
        damaged[noise.randrange(end)] = noise.choice([0, 127, 128, 255, noise.randrange(256)])
    if noise.random() < 0.2:
        del damaged[noise.randrange(len(damaged)) :]
    return bytes(damaged)


@pytest.mark.soak
def test_no_damaged_file_gets_the_better_of_our_own_code(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    seed = int(os.environ.get("MIXIP_SOAK_SEED", "1"))
    seconds = float(os.environ.get("MIXIP_SOAK_SECONDS", "60"))
    noise = random.Random(seed)
    samples = [image(name) for name in ("JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP")]
    samples += [recording("wav", None, "pcm_s16le"), recording("flac", None, "flac"), recording("mp3", None, "mp3")]
    samples += [recording("mp4", "libx264", "aac"), recording("webm", "libvpx-vp9", "libopus")]
    samples += [recording("mov", "prores_ks", "pcm_s24le"), recording("avi", "mpeg4", None)]
    path = tmp_path / "file"
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        path.write_bytes(damage(noise.choice(samples), noise))
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            inspect_file(path, tmp_path, "film.mp4", limits=Limits())
        # A codec may crash or be too slow, which is what the child is for. Our own code may neither raise nor write
        # facts that it would refuse.
        assert "exit code" not in caplog.text, f"seed {seed}: {path}"
        assert "not valid" not in caplog.text, f"seed {seed}: {path}"
