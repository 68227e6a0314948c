"""Start the inspection of a delivered file in a process of its own, and believe only what can be checked.

The child gets no environment, no input and an empty folder, binds itself to `Limits`, and is killed with everything it
started when its time is up. Whatever else happens to it, the platform only learns that there are no facts.
"""

import contextlib
import logging
import os
import signal
import stat
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO, Final

import msgspec

from mixip.media.facts import Facts, read_facts
from mixip.media.limits import Limits

_log = logging.getLogger(__name__)

_PREVIEWS: Final = ("preview.jpg", "preview.webp")
# Without SYSTEMROOT Windows cannot start Python; nothing else of the platform's environment is the child's business.
_KEPT: Final = ("SYSTEMROOT",)


def inspect_file(path: Path, preview_dir: Path, name: str, *, limits: Limits = Limits()) -> Facts | None:  # noqa: B008
    """Facts of the file at `path`, called `name`; its preview is then in `preview_dir`, as `facts.preview` says.

    Blocks until the child has ended, `limits.wall_seconds` at most. None when there are no facts, for whatever reason:
    the file broke the child, took too long or too much memory, or what came back was not valid. Previews of earlier
    inspections are removed from `preview_dir`, which must exist.
    """
    for old in _PREVIEWS:
        (preview_dir / old).unlink(missing_ok=True)
    with (
        tempfile.TemporaryDirectory(dir=preview_dir, prefix="inspect-", ignore_cleanup_errors=True) as folder,
        tempfile.TemporaryFile() as output,
    ):
        scratch = Path(folder).resolve()
        code = _run(path.resolve(), scratch, name, limits, output)
        if code != 0:
            _log.warning("media inspection ended without facts: %s", _reason(code))
            return None
        output.seek(0)
        data = output.read(limits.stdout_bytes + 1)
        if len(data) > limits.stdout_bytes:
            _log.warning("media inspection wrote more than %d bytes", limits.stdout_bytes)
            return None
        try:
            facts = read_facts(data)
        except (msgspec.DecodeError, RecursionError) as error:
            _log.warning("media inspection wrote facts that are not valid: %s", error)
            return None
        if facts.preview:
            picture = _preview(scratch / facts.preview, limits.preview_bytes)
            if picture is None:
                _log.warning("media inspection wrote a preview that is not valid")
                return msgspec.structs.replace(facts, preview=None)
            (preview_dir / facts.preview).write_bytes(picture)
        return facts


def _run(path: Path, scratch: Path, name: str, limits: Limits, output: IO[bytes]) -> int | None:
    """Exit code of the child, negative for a signal, None when its time was up or it could not be started."""
    command = [sys.executable, "-I", "-m", "mixip.media.inspect", str(path), f"--preview-dir={scratch}"]
    command += [f"--name={name}", f"--limits={msgspec.json.encode(limits).decode()}"]
    environment = {"LC_ALL": "C.UTF-8"} | {key: os.environ[key] for key in _KEPT if key in os.environ}
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.DEVNULL,
            cwd=scratch,
            env=environment,
            start_new_session=True,
        )
    except (OSError, ValueError):
        _log.exception("media inspection could not be started")
        return None
    try:
        return process.wait(limits.wall_seconds)
    except subprocess.TimeoutExpired:
        return None
    finally:
        if process.poll() is None:  # its time is up, or we are being interrupted ourselves
            _kill(process)


def _kill(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    process.wait()


def _preview(path: Path, most_bytes: int) -> bytes | None:
    """The picture that the child left, if it is a real file (not a link to one) that begins as its name says.

    Its bytes are taken once: whatever else the child left running could swap the file between a look and a move.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except OSError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        picture = file.read(most_bytes + 1)
    if not 0 < len(picture) <= most_bytes:
        return None
    if path.suffix == ".jpg":
        return picture if picture.startswith(b"\xff\xd8\xff") else None
    return picture if picture.startswith(b"RIFF") and picture[8:12] == b"WEBP" else None


def _reason(code: int | None) -> str:
    if code is None:
        return "its time was up"
    return f"ended by signal {-code}" if code < 0 else f"exit code {code}"
