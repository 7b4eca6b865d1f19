"""Finished videos put together by filter graphs: two side by side, or a small GIF to show around.

The graphs run on the ffmpeg found on PATH, or else on the one inside the imageio-ffmpeg wheel.
"""

import math
import shutil
import tempfile
from fractions import Fraction
from pathlib import Path

import cv2
import ffmpeg
import imageio_ffmpeg
import numpy as np

from data.disk import put_in_place
from data.errors import OutputError, SettingsError
from data.video.colour import matrix_of
from data.video.container import OPEN_OPTIONS, main_video_stream, open_local
from data.video.frame import VideoInfo
from data.video.reader import probe
from data.writing.join import LARGEST_TIMESCALE, muxer_of
from durable.files import partial_path

# What the scale filter calls them.
FILTER_MATRICES = {"bt470bg": "bt470", "bt2020nc": "bt2020", "bt2020c": "bt2020"}
LABEL_HEIGHT = 1 / 14
"""Of the picture's height."""


def ffmpeg_program() -> str:
    """Path of the ffmpeg that is run."""
    return shutil.which("ffmpeg") or imageio_ffmpeg.get_ffmpeg_exe()


def side_by_side(
    videos: list[Path], output: Path, *, height: int | None = None, labels: tuple[str, ...] | None = None
) -> None:
    """`videos` from left to right in one, in square pixels; times, sound and tags are those of the first, exactly.

    At each time of the first the frame of every other that is on the screen then is shown; its last one stays on. All
    are taken as finished SDR videos. height: in pixels, the first one's where not given; made even. labels: a line of
    ASCII text in each one's corner. The output is H.264 and appears when it is whole.
    Raises MissingInputError, NotAVideoError, OutputError, SettingsError.
    """
    muxer = muxer_of(output)
    _keep_inputs(videos, output)
    infos = [probe(video) for video in videos]
    height = _even(height or infos[0].display_size[1])
    widths = [_even(height * info.display_size[0] / info.display_size[1]) for info in infos]
    lefts = [sum(widths[:number]) for number in range(len(widths))]
    first = _input(videos[0])
    # Their sound is not opened; the queues differ so that ffmpeg-python tells the same file, given twice, apart.
    streams = [first, *(_input(video, an=None, thread_queue_size=8 + at) for at, video in enumerate(videos[1:]))]
    clock = str(infos[0].time_base)
    pictures = [
        _scaled(stream, info, width, height, _matrix(infos[0])).filter("settb", clock)
        for stream, info, width in zip(streams, infos, widths, strict=True)
    ]
    # Times are decided by the main picture of an overlay, while it lasts; hstack would add those of the others.
    whole, last = pictures[0].filter("pad", sum(widths), height, 0, 0), _last_pts(videos[0])
    for picture, left in zip(pictures[1:], lefts[1:], strict=True):
        whole = ffmpeg.overlay(whole, picture.filter("trim", end_pts=last + 1), x=left, y=0, eof_action="repeat")
    with tempfile.TemporaryDirectory() as folder:
        for number, text in enumerate(labels or ()):
            path = Path(folder) / f"{number}.png"
            _draw_label(path, text, widths[number], height)
            label = ffmpeg.input(f"file:{path}", f="png_pipe").filter("settb", clock)
            whole = ffmpeg.overlay(whole, label, x=lefts[number], y=0, eof_action="repeat")
        _run([whole, first["a?"]], output, f=muxer, **_encoding(infos[0], videos[0], muxer))


def _encoding(info: VideoInfo, video: Path, muxer: str) -> dict[str, str | int]:
    """Options for an output with the times, sound, colour and tags of `video`."""
    timescale = info.time_base.denominator
    options: dict[str, str | int] = {
        "vcodec": "libx264", "crf": 18, "preset": "veryfast", "bf": 0, "pix_fmt": "yuv420p", "acodec": "copy",
        "fps_mode": "passthrough", "enc_time_base": f"1/{timescale}", "map_metadata": 0,
        "colorspace": _matrix(info), "color_range": "tv",
    }  # fmt: skip
    for tag, option in (("primaries", "color_primaries"), ("transfer", "color_trc")):
        if info.colour[tag] != "unspecified":
            options[option] = info.colour[tag]
    if muxer != "matroska":
        options |= {
            "video_track_timescale": timescale,
            "movie_timescale": _movie_timescale(video, timescale),
            "movflags": "faststart+use_metadata_tags",
        }
    return options


def gif_preview(video: Path, output: Path, *, height: int = 160, rate: Fraction | int = 10) -> None:
    """A looping GIF `height` pixels high with `rate` frames a second, with a palette of its own colours.

    Raises MissingInputError, NotAVideoError, OutputError, SettingsError.
    """
    if height < 2 or rate <= 0:
        raise SettingsError(f"{output}: a GIF {height} high at {rate} frames a second; use at least 2 and above 0")
    _keep_inputs([video], output)
    info = probe(video)
    width = max(1, round(height * info.display_size[0] / info.display_size[1]))
    stream = _scaled(_input(video).filter("fps", str(Fraction(rate)), eof_action="pass"), info, width, height, None)
    split = stream.filter_multi_output("split")
    palette = split[0].filter("palettegen")
    _run([ffmpeg.filter([split[1], palette], "paletteuse", dither="sierra2_4a")], output, f="gif", loop=0)


def _keep_inputs(inputs: list[Path], output: Path) -> None:
    if output.exists() and any(path.exists() and output.samefile(path) for path in inputs):
        raise SettingsError(f"{output}: would replace the video it is made from; choose another name")


def _input(path: Path, **options):
    """A local file as nothing but a file, opened with the same limits as everywhere."""
    return ffmpeg.input(f"file:{Path(path).absolute()}", **OPEN_OPTIONS, **options)


def _even(size: float) -> int:
    return max(2, 2 * round(size / 2))


def _matrix(info: VideoInfo) -> str:
    return matrix_of(info.colour, info.width, info.height)


def _scaled(stream, info: VideoInfo, width: int, height: int, matrix: str | None):
    """Scaled to square pixels, to limited-range YUV by `matrix`, or to R'G'B' where that is None."""
    out = {} if matrix is None else {"out_color_matrix": FILTER_MATRICES.get(matrix, matrix), "out_range": "tv"}
    scaled = stream.filter(
        "scale", width, height, flags="bicubic+accurate_rnd+full_chroma_int",
        in_color_matrix=FILTER_MATRICES.get(_matrix(info), _matrix(info)),
        in_range="pc" if info.colour["range"] == "pc" else "tv", **out,
    )  # fmt: skip
    return scaled.filter("format", "rgb24" if matrix is None else "yuv420p").filter("setsar", 1)


def _movie_timescale(path: Path, timescale: int) -> int:
    """Units a second in which the start of every track that is written is whole, so that edit lists are exact."""
    with open_local(path) as container:
        together = math.lcm(timescale, *(stream.rate for stream in container.streams.audio))
    return together if together <= LARGEST_TIMESCALE else timescale


def _last_pts(path: Path) -> int:
    """The timestamp of the last frame; read from the packets, nothing is decoded."""
    with open_local(path) as container:
        packets = container.demux(main_video_stream(container, path))
        return max((packet.pts for packet in packets if packet.pts is not None), default=0)


def _draw_label(path: Path, text: str, width: int, height: int) -> None:
    """White text on a dark strip, as wide as the text needs and the picture allows."""
    strip = max(10, round(height * LABEL_HEIGHT))
    font, scale, thickness = cv2.FONT_HERSHEY_SIMPLEX, strip / 36, max(1, strip // 18)
    needed = cv2.getTextSize(text, font, scale, thickness)[0][0] + strip
    picture = np.full((strip, min(width, needed), 3), 24, np.uint8)
    cv2.putText(picture, text, (strip // 2, round(strip * 0.7)), font, scale, (255, 255, 255), thickness, cv2.LINE_AA)
    path.write_bytes(cv2.imencode(".png", picture)[1].tobytes())


def _run(streams: list, output: Path, **options) -> None:
    """Runs the graph into a temporary file beside `output` and renames it when it is whole."""
    partial = partial_path(output)
    graph = ffmpeg.output(*streams, f"file:{partial.absolute()}", **options)
    graph = graph.global_args("-nostdin", "-copyts", "-hide_banner", "-loglevel", "error").overwrite_output()
    try:
        graph.run(cmd=ffmpeg_program(), capture_stdout=True, capture_stderr=True)
        if not partial.stat().st_size:
            raise OutputError(f"{output}: nothing to show; is the video longer than no time at all?")
        put_in_place(partial, output)
    except ffmpeg.Error as error:
        lines = error.stderr.decode(errors="replace").strip().splitlines() or ["ffmpeg failed without a word"]
        raise OutputError(f"{output}: cannot be written ({lines[-1]}); choose another folder or make room") from error
    finally:
        partial.unlink(missing_ok=True)
