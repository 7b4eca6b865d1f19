"""Opening media files safely.

A file is opened with local protocols and with real containers only, so that a "video" that is a playlist cannot make
us read other files or the network.
"""

import errno
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer
from av.packet import Packet
from av.stream import Discard, Disposition, Stream
from av.video.stream import VideoStream

from data.errors import MissingInputError, NotAVideoError

# Demuxers that read one file and nothing else. Not among them, on purpose: hls, dash, concat, imf, image2 (patterns),
# sdp, lavfi, devices, and those that take any text for a picture.
CONTAINERS = (
    "mov,matroska,webm,avi,mpegts,mpeg,mpegvideo,m4v,flv,live_flv,asf,ogg,gif,apng,mxf,nut,yuv4mpegpipe,ivf,h264,hevc,"
    "vvc,av1,obu,vc1,dirac,cavsvideo,h263,mjpeg,mpjpeg,dv,rm,wtv,gxf,nsv,jpeg_pipe,png_pipe,webp_pipe,"
    "wav,w64,mp3,aac,flac,ac3,eac3,aiff,au,caf,amr,ape,wv,tta,dts,truehd"
)
OPEN_OPTIONS = {"protocol_whitelist": "file", "format_whitelist": CONTAINERS}


@contextmanager
def open_local(path: str | Path) -> Iterator[InputContainer]:
    """The container at `path`, opened so that it can reach nothing but itself.

    Raises MissingInputError where nothing is there, NotAVideoError where FFmpeg finds no container in it.
    """
    path = Path(path)
    if not path.exists():
        raise MissingInputError(f"{path}: no such file; check the path")
    if not path.is_file():
        raise NotAVideoError(f"{path}: {'a folder' if path.is_dir() else 'not a regular file'}; name a video file")
    try:
        # "file:" and an absolute path: a file called "http:..." or "-" is still just a file.
        container = av.open(
            f"file:{path.absolute()}", container_options=OPEN_OPTIONS, metadata_errors="replace", mode="r"
        )
    except (av.FFmpegError, OSError) as error:
        raise NotAVideoError(_refusal(path, error)) from error
    try:
        yield container
    finally:
        container.close()


def _refusal(path: Path, error: Exception) -> str:
    if path.stat().st_size == 0:
        return f"{path}: empty, not a video; was its download or recording cut off?"
    words = getattr(error, "strerror", None) or str(error)
    if getattr(error, "errno", None) == errno.EINVAL:
        words = "a playlist, a picture, a text or a rare container: kinds that are not opened"
    return f"{path}: not a video ({words}); convert it with ffmpeg or name another file"


def main_video_stream(container: InputContainer, path: str | Path) -> VideoStream:
    """The first video stream that is not cover art. All other streams are set to be skipped.

    Raises NotAVideoError where there is none, or no decoder for it.
    """
    videos = [stream for stream in container.streams.video if not stream.disposition & Disposition.attached_pic]
    if not videos:
        found = "has sound but no picture" if container.streams.audio else "has no picture"
        raise NotAVideoError(f"{path}: not a video (it {found}); name another file")
    video = videos[0]
    if video.codec_context is None:
        raise NotAVideoError(f"{path}: no decoder for its picture here; convert it with ffmpeg to H.264")
    for stream in container.streams:
        if stream.index != video.index:
            stream.discard = Discard.all
    video.codec_context.thread_count = 1  # with more, what a damaged file decodes to changes from run to run
    return video


def packets_of(container: InputContainer, streams: Sequence[Stream]) -> Iterator[Packet]:
    """The packets of those streams as they stand in the file; each stream's last is empty.

    PyAV stops at the first packet of a stream that appears midway, as in a broadcast: what follows is read on.
    """
    while streams:
        try:
            yield from container.demux(*streams)
            return
        except IndexError:
            continue


def time_base_of(stream: Stream) -> Fraction:
    """Seconds a unit of the stream's timestamps; FFmpeg always sets it on reading."""
    return stream.time_base or Fraction(1, av.time_base)
