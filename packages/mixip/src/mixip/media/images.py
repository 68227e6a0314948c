"""Facts and thumbnail of an image, by Pillow, from a short list of formats."""

import contextlib
import importlib
import io
import warnings
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

from mixip.media.facts import Facts, Preview

if TYPE_CHECKING:
    from PIL.Image import Image

PREVIEW_PIXELS: Final = 960
SIDEWAYS: Final = frozenset({5, 6, 7, 8})
"""EXIF orientations that turn an image on its side (EXIF 3.0, tag 0x0112)."""
_ORIENTATION: Final = 0x0112
_NEW_SUBFILE_TYPE: Final = 0x00FE
_MEDIA_TYPES: Final = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "GIF": "image/gif",
    "WEBP": "image/webp",
    "TIFF": "image/tiff",
    "BMP": "image/bmp",
    "AVIF": "image/avif",
}
_PLUGINS: Final = {"WEBP": "WebPImagePlugin", "TIFF": "TiffImagePlugin", "AVIF": "AvifImagePlugin"}


def inspect_image(file: IO[bytes], image_format: str, preview_dir: Path, *, most_pixels: int) -> Facts | None:
    """Facts of the image, and its thumbnail in `preview_dir`. None when its header cannot be read.

    An image whose data is cut off or that has more than `most_pixels` has facts and no preview.
    """
    image = open_image(file, image_format)
    if image is None:
        return None
    turn = orientation(image)
    width, height = image.size
    if turn in SIDEWAYS:
        width, height = height, width
    whole = not _is_reduced(image)
    preview = None
    if width * height <= most_pixels:
        # A damaged image makes Pillow raise nearly anything; the facts of its header stand all the same.
        with contextlib.suppress(Exception):
            preview = write_preview(thumbnail(image, turn), preview_dir)
    return Facts(
        kind="image",
        container=image_format.lower(),
        media_type=_MEDIA_TYPES[image_format],
        width=width if whole else None,
        height=height if whole else None,
        preview=preview,
    )


def open_image(file: IO[bytes], image_format: str) -> "Image | None":
    """The image, not yet decoded. Only the one plugin for `image_format` may look at the bytes."""
    from PIL import Image  # 60 ms that audio and video need not wait for

    Image.MAX_IMAGE_PIXELS = None  # the limit is ours, applied to what the header says before anything is decoded
    if plugin := _PLUGINS.get(image_format):
        importlib.import_module(f"PIL.{plugin}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # oddities of the file; nobody reads them
            return Image.open(file, formats=(image_format,))
    except Exception:  # noqa: BLE001 - Pillow's plugins raise nearly anything on a damaged header
        return None


def orientation(image: "Image") -> int:
    """EXIF orientation that is still to be applied, 1 (none) to 8; 1 when it cannot be read."""
    if image.format == "TIFF":
        return 1  # Pillow applies it itself: to the size when it opens, to the pixels when it decodes
    try:
        value = image.getexif().get(_ORIENTATION, 1)
    except Exception:  # noqa: BLE001 - hostile EXIF; an image without it is still an image
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _is_reduced(image: "Image") -> bool:
    """Whether what Pillow shows of a TIFF is a smaller copy of the real image, as in the raw files of cameras
    (TIFF 6.0, NewSubfileType)."""
    tags = getattr(image, "tag_v2", {})
    value = tags.get(_NEW_SUBFILE_TYPE, 0)
    return isinstance(value, int) and bool(value & 1)


def thumbnail(image: "Image", turn: int) -> "Image":
    """The image in sRGB, at most 960 pixels wide and high, its EXIF orientation `turn` applied, without any metadata
    (where it was taken, by whom)."""
    box = (PREVIEW_PIXELS, PREVIEW_PIXELS)
    image.draft(None, box)  # JPEG can be decoded at an eighth of its size
    profile = image.info.get("icc_profile")
    if image.mode in {"P", "1", "PA", "LA", "La", "RGBa"}:
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    elif image.mode.startswith(("I", "F")):
        image = _sixteen_to_eight(image)
    # Pillow's thumbnail reduces first and filters after that; it never enlarges.
    image.thumbnail(box)
    return _to_srgb(upright(image, turn), profile)


def upright(image: "Image", turn: int) -> "Image":
    """The image with an EXIF orientation applied to its pixels."""
    from PIL.Image import Transpose

    methods = {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }
    return image.transpose(methods[turn]) if turn in methods else image


def write_preview(image: "Image", preview_dir: Path) -> Preview:
    """Write the preview: WebP when anything shows through, else JPEG. Returns its file name."""
    opaque = not image.has_transparency_data or image.getextrema()[-1] == (255, 255)
    name: Preview = "preview.jpg" if opaque else "preview.webp"
    data = io.BytesIO()
    if opaque:
        image.convert("RGB").save(data, "JPEG", quality=82, optimize=True, progressive=True)
    else:
        image.convert("RGBA").save(data, "WEBP", quality=82, method=4)
    (preview_dir / name).write_bytes(data.getvalue())
    return name


def _sixteen_to_eight(image: "Image") -> "Image":
    """Greys of 16 bits or floating point, stretched from their darkest to their brightest."""
    low, high = (float(value) for value in image.getextrema())  # type: ignore[arg-type]
    scale = 255 / (high - low) if high > low else 0.0
    return image.convert("F").point(lambda value: value * scale - low * scale).convert("L")


def _to_srgb(image: "Image", profile: object) -> "Image":
    alpha = image.getchannel("A") if image.mode == "RGBA" else None
    colours = image.convert("RGB") if alpha else image
    if isinstance(profile, bytes):
        from PIL import ImageCms

        with contextlib.suppress(Exception):  # a profile that is damaged or of another colour space: do without
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            target = ImageCms.createProfile("sRGB")
            converted = ImageCms.profileToProfile(colours, source, target, outputMode="RGB")
            colours = converted or colours
    plain = colours.convert("RGB")
    if alpha:
        plain.putalpha(alpha)
    plain.info.clear()
    return plain
