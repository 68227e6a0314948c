"""Names of codecs as people write them."""

from typing import Final

_NAMES: Final = {
    "aac": "AAC", "ac3": "Dolby Digital", "alac": "Apple Lossless", "av1": "AV1", "cfhd": "CineForm", "dts": "DTS",
    "dvvideo": "DV", "eac3": "Dolby Digital Plus", "ffv1": "FFV1", "flac": "FLAC", "h263": "H.263", "h264": "H.264",
    "hap": "Hap", "hevc": "H.265", "huffyuv": "HuffYUV", "jpeg2000": "JPEG 2000", "mjpeg": "Motion JPEG", "mp2": "MP2",
    "mp3": "MP3", "mpeg1video": "MPEG-1", "mpeg2video": "MPEG-2", "mpeg4": "MPEG-4 Part 2", "opus": "Opus",
    "png": "PNG", "prores": "ProRes", "qtrle": "QuickTime Animation", "rawvideo": "Uncompressed", "theora": "Theora",
    "truehd": "Dolby TrueHD", "utvideo": "Ut Video", "v210": "Uncompressed 10-bit", "vc1": "VC-1", "vorbis": "Vorbis",
    "vp8": "VP8", "vp9": "VP9", "wavpack": "WavPack", "wmav2": "Windows Media Audio", "wmv3": "Windows Media Video",
}  # fmt: skip

_PRORES: Final = {
    "apco": "ProRes 422 Proxy", "proxy": "ProRes 422 Proxy", "apcs": "ProRes 422 LT", "lt": "ProRes 422 LT",
    "apcn": "ProRes 422", "standard": "ProRes 422", "apch": "ProRes 422 HQ", "hq": "ProRes 422 HQ",
    "ap4h": "ProRes 4444", "4444": "ProRes 4444", "ap4x": "ProRes 4444 XQ", "xq": "ProRes 4444 XQ",
}  # fmt: skip


def codec_name(codec: str, profile: str | None = None) -> str:
    """The name people know: `h264` is "H.264", `prores` with the profile `HQ` is "ProRes 422 HQ"."""
    if codec == "prores":
        return _PRORES.get((profile or "").lower(), "ProRes")
    if codec == "dnxhd":
        return "DNxHR" if (profile or "").startswith("DNXHR") else "DNxHD"
    if codec.startswith("pcm_"):
        return "PCM"
    return _NAMES.get(codec, codec)
