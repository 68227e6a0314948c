"""What a file is, by its first bytes. Only where those leave it open (a text, a ZIP) may the name choose among types
that are all of the same content."""

from typing import Final

HEAD_BYTES: Final = 4096

_AVIF_BRANDS: Final = frozenset({b"avif", b"avis"})
_HEIF_BRANDS: Final = frozenset({b"heic", b"heix", b"heim", b"heis", b"mif1"})

_TEXTS: Final = {"csv": "text/csv", "md": "text/markdown"}
_ZIPS: Final = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "epub": "application/epub+zip",
    "odt": "application/vnd.oasis.opendocument.text",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def image_format(head: bytes) -> str | None:
    """Pillow's name of the image format that the file begins as, of those that we read. Never SVG: it is a program."""
    if head.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "GIF"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "WEBP"
    if head.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")):
        return "TIFF"
    if head.startswith(b"BM") and head[6:10] == b"\0\0\0\0":
        return "BMP"
    if head[4:8] == b"ftyp" and _AVIF_BRANDS & _brands(head):
        return "AVIF"
    return None


def is_heif(head: bytes) -> bool:
    """Whether it is a photo as telephones take them (HEIF, ISO 23008-12), which Pillow cannot decode."""
    return head[4:8] == b"ftyp" and bool(_HEIF_BRANDS & _brands(head))


def document_type(head: bytes, name: str) -> str | None:
    """Media type of a file that is neither image nor sound nor video."""
    extension = name.rpartition(".")[2].lower()
    if head.startswith(b"%PDF-"):
        return "application/pdf"
    if head.startswith(b"PK\x03\x04"):
        return _ZIPS.get(extension, "application/zip")
    if not _is_text(head):
        return None
    if head.removeprefix(b"\xef\xbb\xbf").startswith(b"WEBVTT"):
        return "text/vtt"
    # SVG and HTML are text too, and plain text is all they are ever served as.
    return _TEXTS.get(extension, "text/plain")


def is_webm(head: bytes) -> bool:
    """Whether a Matroska file says in its header that it is the part of it called WebM (EBML DocType, RFC 8794)."""
    at = head.find(b"\x42\x82")
    return at >= 0 and head[at + 3 : at + 7] == b"webm"


def iso_brand(head: bytes) -> bytes | None:
    """Major brand of an ISO base media file, `qt  ` for one from before there were brands; None for others."""
    if head[4:8] == b"ftyp":
        return head[8:12]
    return b"qt  " if head[4:8] in {b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"} else None


def _brands(head: bytes) -> set[bytes]:
    size = min(int.from_bytes(head[:4]), len(head))
    return {head[8:12]} | {head[at : at + 4] for at in range(16, size - 3, 4)}


def _is_text(head: bytes) -> bool:
    if not head or any(byte < 32 and byte not in b"\t\n\r\f" for byte in head):
        return False
    try:
        head.decode()
    except UnicodeDecodeError as error:
        return error.start > len(head) - 4 and len(head) == HEAD_BYTES  # a character cut by the end of what was read
    return True
