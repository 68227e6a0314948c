"""Start the inspection of a delivered file in a process of its own, and believe only what can be checked.

The child gets no environment, no input and an empty folder, binds itself to `Limits`, and is killed with everything it
started when its time is up. Whatever else happens to it, the platform only learns that there are no facts.
"""

import contextlib
import logging
import os
import signal
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
        except msgspec.DecodeError as error:
            _log.warning("media inspection wrote facts that are not valid: %s", error)
            return None
        if facts.preview and not _is_preview(scratch / facts.preview, limits.preview_bytes):
            _log.warning("media inspection wrote a preview that is not valid")
            return msgspec.structs.replace(facts, preview=None)
        if facts.preview:
            (scratch / facts.preview).replace(preview_dir / facts.preview)
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


def _is_preview(path: Path, most_bytes: int) -> bool:
    """Whether the child left a real file (not a link to one) that begins as its name says."""
    if path.is_symlink() or not path.is_file() or not 0 < path.stat().st_size <= most_bytes:
        return False
    with path.open("rb") as file:
        head = file.read(12)
    if path.suffix == ".jpg":
        return head.startswith(b"\xff\xd8\xff")
    return head.startswith(b"RIFF") and head[8:] == b"WEBP"


def _reason(code: int | None) -> str:
    if code is None:
        return "its time was up"
    return f"ended by signal {-code}" if code < 0 else f"exit code {code}"
