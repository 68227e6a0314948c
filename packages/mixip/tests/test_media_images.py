"""Facts and thumbnails of images: real files, made here by Pillow, read by the code that runs in the child process."""

import io
import zlib
from pathlib import Path

import pytest
from PIL import Image, ImageCms, features

from mixip.media.facts import Facts, read_facts, write_facts
from mixip.media.inspect import inspect as inspect_here
from mixip.media.limits import MIB, Limits
from mixip.media.run import inspect_file

RED, BLUE = (220, 30, 30), (30, 30, 220)


def picture(size: tuple[int, int] = (1600, 1200)) -> Image.Image:
    """Red on the left, blue on the right."""
    image = Image.new("RGB", size, RED)
    image.paste(BLUE, (size[0] // 2, 0, *size))
    return image


def inspect(path: Path, name: str = "picture.txt") -> Facts:
    folder = path.parent / "previews"
    folder.mkdir()
    # In this process, which is quick: test_media_run.py shows that the child of its own gives the same.
    facts = read_facts(write_facts(inspect_here(path, folder, name, most_pixels=Limits().image_pixels)))
    assert sorted(file.name for file in folder.iterdir()) == ([facts.preview] if facts.preview else [])
    return facts


def preview(path: Path, facts: Facts) -> Image.Image:
    assert facts.preview is not None
    return Image.open(io.BytesIO((path.parent / "previews" / facts.preview).read_bytes()))


def colour(image: Image.Image, x: float, y: float) -> str:
    """Which of the two colours is at a place, given as parts of the width and the height."""
    pixel = image.convert("RGB").getpixel((int(image.width * x), int(image.height * y)))
    assert isinstance(pixel, tuple)
    return "red" if pixel[0] > pixel[2] else "blue"


@pytest.mark.parametrize(
    ("image_format", "media_type"),
    [
        ("JPEG", "image/jpeg"),
        ("PNG", "image/png"),
        ("GIF", "image/gif"),
        ("WEBP", "image/webp"),
        ("TIFF", "image/tiff"),
        ("BMP", "image/bmp"),
        pytest.param(
            "AVIF", "image/avif", marks=pytest.mark.skipif(not features.check("avif"), reason="Pillow without AVIF")
        ),
    ],
)
def test_each_format_is_known_by_its_content(tmp_path: Path, image_format: str, media_type: str) -> None:
    path = tmp_path / "picture"
    picture().save(path, image_format)
    facts = inspect(path)
    assert (facts.kind, facts.container, facts.media_type) == ("image", image_format.lower(), media_type)
    assert (facts.width, facts.height, facts.preview) == (1600, 1200, "preview.jpg")
    image = preview(path, facts)
    assert (image.size, image.format) == ((960, 720), "JPEG")
    assert (colour(image, 0.2, 0.5), colour(image, 0.8, 0.5)) == ("red", "blue")


# Where the left edge of the stored image is seen, by orientation.
@pytest.mark.parametrize(
    ("orientation", "x", "y"),
    [
        (1, 0.1, 0.5),
        (2, 0.9, 0.5),
        (3, 0.9, 0.5),
        (4, 0.1, 0.5),
        (5, 0.5, 0.1),
        (6, 0.5, 0.1),
        (7, 0.5, 0.9),
        (8, 0.5, 0.9),
    ],
)
@pytest.mark.parametrize("image_format", ["JPEG", "TIFF", "PNG"])
def test_the_exif_orientation_is_applied(
    tmp_path: Path, image_format: str, orientation: int, x: float, y: float
) -> None:
    path = tmp_path / "camera"
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture((600, 400)).save(path, image_format, exif=exif)
    facts = inspect(path)
    size = (400, 600) if orientation >= 5 else (600, 400)
    image = preview(path, facts)
    assert image.size == (facts.width, facts.height) == size
    assert colour(image, x, y) == "red"
    assert colour(image, 1 - x, 1 - y) == "blue"


def test_the_preview_tells_nothing_about_where_the_image_was_taken(tmp_path: Path) -> None:
    path = tmp_path / "camera.jpg"
    exif = Image.Exif()
    exif[0x010E] = "at home"  # ImageDescription
    exif.get_ifd(0x8825)[1] = "N"  # GPS
    picture().save(path, exif=exif, comment=b"by me")
    image = preview(path, inspect(path))
    assert not image.getexif()
    assert "comment" not in image.info
    data = (tmp_path / "previews" / "preview.jpg").read_bytes()
    assert b"at home" not in data
    assert b"by me" not in data


def test_what_shows_through_still_does(tmp_path: Path) -> None:
    path = tmp_path / "logo.png"
    image = picture((200, 100)).convert("RGBA")
    image.putalpha(128)
    image.save(path)
    facts = inspect(path)
    assert facts.preview == "preview.webp"
    shown = preview(path, facts)
    assert (shown.mode, shown.size) == ("RGBA", (200, 100))


def test_an_animation_is_shown_by_its_first_picture(tmp_path: Path) -> None:
    path = tmp_path / "moving.gif"
    picture((100, 80)).save(path, save_all=True, append_images=[Image.new("RGB", (100, 80), BLUE)] * 5)
    facts = inspect(path)
    assert (facts.kind, facts.width, facts.height) == ("image", 100, 80)
    assert colour(preview(path, facts), 0.1, 0.5) == "red"


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "CMYK", "I;16", "F"])
def test_every_way_to_store_colours_has_a_preview(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "scan.tif"
    picture((100, 80)).convert("L" if mode == "I;16" else mode).convert(mode).save(path, "TIFF")
    facts = inspect(path)
    image = preview(path, facts)
    assert image.size == (100, 80)
    assert image.mode == "RGB"


def test_colours_of_another_colour_space_are_converted(tmp_path: Path) -> None:
    path = tmp_path / "lab.tif"
    to_lab = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB")
    lab = ImageCms.applyTransform(picture((100, 80)), to_lab)
    assert lab is not None
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    lab.save(path, "TIFF", icc_profile=profile)
    image = preview(path, inspect(path)).convert("RGB")
    pixel = image.getpixel((10, 40))
    assert isinstance(pixel, tuple)
    assert all(abs(got - wanted) < 12 for got, wanted in zip(pixel, RED, strict=True))


def test_a_damaged_colour_profile_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "p.jpg"
    picture().save(path, icc_profile=b"\0\1\2" * 100)
    assert preview(path, inspect(path)).size == (960, 720)


def test_a_cut_off_image_has_facts_and_no_preview(tmp_path: Path) -> None:
    path = tmp_path / "half.jpg"
    picture().save(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    facts = inspect(path)
    assert (facts.kind, facts.width, facts.height, facts.preview) == ("image", 1600, 1200, None)


def test_the_small_picture_in_a_cameras_raw_file_is_not_its_size(tmp_path: Path) -> None:
    path = tmp_path / "raw.nef"
    picture((160, 120)).save(path, "TIFF", tiffinfo={0x00FE: 1})
    facts = inspect(path)
    assert (facts.width, facts.height) == (None, None)
    assert preview(path, facts).size == (160, 120)


def test_a_photo_of_a_telephone_is_an_image(tmp_path: Path) -> None:
    path = tmp_path / "photo.mp4"
    path.write_bytes(b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic" + bytes(5000))
    assert inspect(path) == Facts(kind="image", container="heif", media_type="image/heic")


def test_an_image_whose_header_is_broken_is_just_a_file(tmp_path: Path) -> None:
    path = tmp_path / "broken.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    assert inspect(path) == Facts(kind="other")


def png_of(width: int, height: int, *, lines: int) -> bytes:
    """A grey PNG that is a thousand times larger in memory than on disk; of its lines only so many are there."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4) + kind + data + zlib.crc32(kind + data).to_bytes(4)

    header = width.to_bytes(4) + height.to_bytes(4) + b"\x08\0\0\0\0"
    data = zlib.compress(bytes((1 + width) * lines), 1)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def test_an_image_beyond_all_measure_has_facts_and_is_not_decoded(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(png_of(100_000, 100_000, lines=1))
    facts = inspect(path)
    assert (facts.width, facts.height, facts.preview) == (100_000, 100_000, None)


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        (Limits(), "preview.jpg"),
        (Limits(memory_bytes=150 * MIB), None),
        (Limits(image_pixels=100_000_000), None),
    ],
    ids=["enough", "too little memory", "too many pixels"],
)
def test_a_bomb_runs_into_the_limits(tmp_path: Path, limits: Limits, expected: str | None) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(png_of(12_000, 12_000, lines=12_000))
    assert path.stat().st_size < MIB
    facts = inspect_file(path, tmp_path, "bomb.png", limits=limits)
    assert facts is not None
    assert (facts.width, facts.height, facts.preview) == (12_000, 12_000, expected)


@pytest.mark.parametrize(
    "content",
    [
        b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
        b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>',
        b"<!doctype html><script>alert(1)</script>",
    ],
)
def test_what_can_run_scripts_is_plain_text(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "picture.svg"
    path.write_bytes(content)
    assert inspect(path, "picture.svg") == Facts(kind="other", media_type="text/plain")


@pytest.mark.parametrize("image_format", ["ICO", "PPM", "TGA", "PCX", "JPEG2000"])
def test_other_image_formats_are_not_opened(tmp_path: Path, image_format: str) -> None:
    path = tmp_path / "picture"
    picture((64, 64)).save(path, image_format)
    assert inspect(path).kind == "other"
