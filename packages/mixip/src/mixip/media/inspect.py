"""Read the facts of one file and make its preview: `python -m mixip.media.inspect FILE --preview-dir DIR --name NAME`.

Prints `Facts` as JSON, and writes `preview.jpg` or `preview.webp` into DIR. This is the program that `run` starts for
each delivered file; everything that parses hostile bytes happens in here.
"""

import argparse
import ctypes
import os
import signal
import sys
from pathlib import Path

import msgspec

from mixip.media import limits as resource_limits
from mixip.media.facts import Facts, write_facts
from mixip.media.sniff import HEAD_BYTES, document_type, image_format, is_heif


def inspect(path: Path, preview_dir: Path, name: str, *, most_pixels: int) -> Facts:
    """Facts of the file at `path`. `name` is what it is called; it never decides what the content is."""
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
        file.seek(0)
        known = image_format(head)
        if known:
            from mixip.media.images import inspect_image

            image = inspect_image(file, known, preview_dir, most_pixels=most_pixels)
            return image or Facts(kind="other")
        if is_heif(head):  # FFmpeg would take it for a video, and each of its tiles for a stream
            return Facts(kind="image", container="heif", media_type="image/heic")
        media_type = document_type(head, name)
        if media_type or not head:
            return Facts(kind="other", media_type=media_type)
        from mixip.media.recordings import inspect_recording  # 0.2 s, which images and texts need not wait for

        return inspect_recording(file, head, preview_dir, most_pixels=most_pixels) or Facts(kind="other")


def end_with_parent() -> None:
    """Ask the kernel to end this process when the platform ends, however it ends (Linux: prctl, PR_SET_PDEATHSIG)."""
    if sys.platform == "linux":
        parent = os.getppid()
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)
        if os.getppid() != parent:  # it ended before the kernel was asked
            sys.exit(1)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m mixip.media.inspect", description="Read the facts of a media file."
    )
    parser.add_argument("file", type=Path)
    parser.add_argument("--preview-dir", type=Path, required=True)
    parser.add_argument("--name", required=True, help="what the file is called")
    parser.add_argument("--limits", default="{}", help="as JSON; see mixip.media.limits")
    options = parser.parse_args(arguments)
    limits = msgspec.json.decode(options.limits, type=resource_limits.Limits)
    end_with_parent()
    resource_limits.apply(limits)
    facts = inspect(options.file, options.preview_dir, options.name, most_pixels=limits.image_pixels)
    sys.stdout.buffer.write(write_facts(facts))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
